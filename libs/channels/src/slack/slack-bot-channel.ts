import type { DeliveryOutcome } from '@tocsin/alert-model';
import { cleanLine } from '@tocsin/email-templates';
import { TocsinError } from '@tocsin/runtime';
import type { Channel, ChannelLog, Outgoing, SlackBotConfig } from '../channel.ts';
import { findDelivery } from './find-delivery.ts';
import { messageMetadata } from './message-metadata.ts';
import { renderSlack, renderSlackText } from './render-slack.ts';
import { slackApi } from './slack-api.ts';
import type { SlackApi, SlackResult } from './slack-api.ts';
import { refusesForm } from './slack-error.ts';
import { messageId, parseMessageId } from './slack-message-id.ts';
import type { SlackMessageId } from './slack-message-id.ts';
import { updateLivingMessage } from './update-living-message.ts';

const defaultBaseUrl = 'https://slack.com/api/';
const detailCharactersMax = 500;

/**
 * Slack by a bot's token. A conversation is one message in the channel, which always shows how things stand, and a
 * thread under it with everything told since. Each message carries the delivery's identity as metadata, so that one
 * whose answer got lost is found again instead of being sent twice.
 *
 * Scopes: `chat:write`; with `channels:history` (private channels: `groups:history`) lost answers can be looked up and the
 * living message keeps its list. Without them Tocsin sends and updates all the same.
 *
 * @throws TocsinError `CHANNEL_MISCONFIGURED` when `baseUrl` is no address
 */
export const createSlackBotChannel = (
  name: string,
  { token, channel, signingSecret, baseUrl }: SlackBotConfig,
  { log }: { readonly log: ChannelLog },
): Channel => {
  const base = URL.parse(baseUrl ?? defaultBaseUrl);
  if (base === null || (base.protocol !== 'https:' && base.protocol !== 'http:'))
    throw new TocsinError('CHANNEL_MISCONFIGURED', "The address of Slack's API is not one. Leave base_url away.");
  const settings = { token, baseUrl: base.href.endsWith('/') ? base.href : `${base.href}/` };
  const secrets = [token];
  const acknowledgeable = signingSecret !== undefined && signingSecret !== '';
  // Slack reads a channel's history by its id only; answers to a channel's name tell it.
  let channelId = /^[CGD][A-Z0-9]{5,}$/.test(channel) ? channel : null;

  const send = async (outgoing: Outgoing, api: SlackApi): Promise<DeliveryOutcome> => {
    const root = parseMessageId(outgoing.rootId ?? null);
    if (outgoing.mayHaveArrived === true) {
      const found = await findDelivery(api, outgoing, root, root?.channel ?? channelId);
      if (found !== null) return found;
    }
    if (root === null) return postMessage(api, outgoing, null);
    const living = await updateLivingMessage(api, root, outgoing, { acknowledgeable, last: false });
    if (living.kind === 'refused') return living.refusal;
    const outcome = await postMessage(api, outgoing, living.kind === 'gone' ? null : root);
    if (living.kind !== 'failed' || outcome.outcome !== 'accepted') return outcome;
    const again = await updateLivingMessage(api, root, outgoing, { acknowledgeable, last: true });
    if (again.kind === 'failed' || again.kind === 'refused')
      log.warn(
        { channel: name, deliveryId: cleanLine(outgoing.deliveryId, 100), detail: again.refusal.detail },
        'the first message of a conversation in Slack could not be brought up to date; its thread says how things stand',
      );
    return outcome;
  };

  const postMessage = async (
    api: SlackApi,
    outgoing: Outgoing,
    thread: SlackMessageId | null,
  ): Promise<DeliveryOutcome> => {
    const { message, deliveryId } = outgoing;
    const fields = {
      channel: thread?.channel ?? channel,
      mrkdwn: false,
      parse: 'none',
      link_names: false,
      unfurl_links: false,
      unfurl_media: false,
      metadata: messageMetadata(outgoing),
      ...(thread === null ? {} : { thread_ts: thread.ts, reply_broadcast: wantsAttention(outgoing) }),
    };
    const rendered = renderSlack(message, { acknowledgeable, deliveryId, inThread: thread !== null });
    const result = await api.write('chat.postMessage', { ...fields, ...rendered });
    if (!result.ok && result.error !== null && threadGone.has(result.error) && thread !== null)
      return postMessage(api, outgoing, null);
    if (result.ok || result.error === null || !refusesForm(result.error)) return outcomeOf(result);
    // Certainly not taken, and for its form only: without blocks it is another message, which may be taken.
    return outcomeOf(await api.write('chat.postMessage', { ...fields, text: renderSlackText(message) }));
  };

  const outcomeOf = (result: SlackResult): DeliveryOutcome => {
    if (!result.ok) return result.refusal;
    const id = messageId(result.answer);
    channelId = parseMessageId(id)?.channel ?? channelId;
    return { outcome: 'accepted', providerMessageId: id, status: result.status };
  };

  return {
    name,
    type: 'slack_bot',
    recipients: [channel],
    send: async (outgoing, options) => send(outgoing, slackApi(settings, options, secrets)),
    check: async (options) => {
      const result = await slackApi(settings, options, secrets).read('auth.test', {});
      if (!result.ok) return { ok: false, detail: result.refusal.detail };
      const { user, team } = result.answer;
      const who = `${typeof user === 'string' ? user : 'a bot'} in ${typeof team === 'string' ? team : 'a workspace'}`;
      return { ok: true, detail: cleanLine(`Slack knows the token: ${who}.`, detailCharactersMax) };
    },
    close: async () => {},
  };
};

/** What Slack says of a thread whose first message is not there any more, or takes no replies. */
const threadGone: ReadonlySet<string> = new Set([
  'thread_not_found',
  'message_not_found',
  'cannot_reply_to_message',
  'restricted_action_thread_locked',
  'invalid_thread_ts',
]);

/** A reply that somebody has to act upon is shown in the channel too: a thread alone calls nobody. */
const wantsAttention = ({ message }: Outgoing): boolean => message.items.some(({ kind }) => attentionKinds.has(kind));
const attentionKinds: ReadonlySet<string> = new Set([
  'new',
  'regressed',
  'flapping',
  'worse',
  'unsilenced',
  'settled',
  'escalated',
  'lapsed',
]);
