import type { DeliveryOutcome } from '@tocsin/alert-model';
import { cleanLine } from '@tocsin/email-templates';
import { TocsinError } from '@tocsin/runtime';
import type { Channel, Outgoing, SendOptions, SlackWebhookConfig } from '../channel.ts';
import { post } from '../http/post.ts';
import type { Answer, PostResult } from '../http/post.ts';
import { silenceOutcome } from '../http/silence-outcome.ts';
import { safeDetail } from '../safe-detail.ts';
import { renderSlack, renderSlackText } from './render-slack.ts';
import { isHtml, slackRefusal } from './slack-api.ts';
import { refusesForm, slackErrorMeaning } from './slack-error.ts';

/** What Slack answers to an empty message on a webhook that works. */
const emptyWords: ReadonlySet<string> = new Set([
  'no_text',
  'invalid_payload',
  'missing_text_or_fallback_or_attachments',
]);
const wordCharactersMax = 80;

/**
 * Slack by an incoming webhook (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks). Slack
 * answers `ok` and nothing else, so messages cannot be found again: each is a new one, none is in a thread, and one
 * whose answer got lost is sent again. The bot's channel can do all that.
 *
 * @throws TocsinError `CHANNEL_MISCONFIGURED` when the address is none. The message does not show it: it is a secret.
 */
export const createSlackWebhookChannel = (name: string, { url, signingSecret }: SlackWebhookConfig): Channel => {
  const address = URL.parse(url);
  if (address === null || (address.protocol !== 'https:' && address.protocol !== 'http:'))
    throw new TocsinError(
      'CHANNEL_MISCONFIGURED',
      "The address of Slack's webhook is not one. Write https://hooks.slack.com/services/….",
    );
  // Who knows the path can post.
  const secrets = [address.href, address.pathname, address.pathname.split('/').at(-1) ?? ''];
  const call = (body: object, { signal, timeoutMs }: SendOptions): Promise<PostResult> =>
    post({
      url: address.href,
      headers: { 'Content-Type': 'application/json; charset=utf-8' },
      body: JSON.stringify(body),
      timeoutMs,
      signal,
    });
  return {
    name,
    type: 'slack_webhook',
    recipients: [`webhook at ${address.host}`],
    send: async ({ message, deliveryId }: Outgoing, options) => {
      const endsAt = performance.now() + options.timeoutMs;
      const acknowledgeable = signingSecret !== undefined && signingSecret !== '';
      const rendered = renderSlack(message, { acknowledgeable, deliveryId, inThread: false });
      const result = await call({ ...plainly, ...rendered }, options);
      if (result.kind !== 'answer' || !refusesForm(wordOf(result))) return outcomeOf(result, secrets);
      // Certainly not taken, and for its form only: without blocks it is another message, which may be taken.
      const timeoutMs = Math.max(1, Math.ceil(endsAt - performance.now()));
      return outcomeOf(await call({ ...plainly, text: renderSlackText(message) }, { ...options, timeoutMs }), secrets);
    },
    check: async (options) => {
      // A message without content is refused after all else was found good, and nobody sees it.
      const result = await call({}, options);
      const word = result.kind === 'answer' ? wordOf(result) : '';
      if (result.kind === 'answer' && result.status === 400 && emptyWords.has(word))
        return { ok: true, detail: 'Slack knows the webhook.' };
      const outcome = outcomeOf(result, secrets);
      return { ok: false, detail: outcome.outcome === 'accepted' ? 'The address takes anything.' : outcome.detail };
    },
    close: async () => {},
  };
};

/** No markup is read, no link is opened by Slack, no name becomes a mention. */
const plainly = { mrkdwn: false, unfurl_links: false, unfurl_media: false } as const;

const outcomeOf = (result: PostResult, secrets: readonly string[]): DeliveryOutcome => {
  if (result.kind === 'silence') return silenceOutcome(result, secrets);
  const { status } = result;
  if (status >= 200 && status < 300)
    return isHtml(result)
      ? { outcome: 'rejected', reason: 'misconfigured', status, detail: 'A web page answered, not Slack.' }
      : { outcome: 'accepted', providerMessageId: null, status };
  const refusal = slackRefusal(result, secrets);
  // The status is coarse: 400 also says that the user behind the webhook is gone. A time to wait is never overruled.
  const { outcome, reason } = slackErrorMeaning(wordOf(result));
  return refusal.outcome === 'rejected' && outcome === 'rejected' && reason !== 'bad-request'
    ? { ...refusal, reason, detail: safeDetail(refusal.detail, secrets) }
    : refusal;
};

// `invalid_payload`, `channel_is_archived`: one word, in a body of its own.
const wordOf = ({ body }: Answer): string => cleanLine(body, wordCharactersMax);
