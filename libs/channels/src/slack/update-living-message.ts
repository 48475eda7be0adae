import type { Outgoing } from '../channel.ts';
import type { Refusal } from '../http/answer-outcome.ts';
import { livingState } from './living-state.ts';
import { messageMetadata, readMetadata } from './message-metadata.ts';
import {
  actionsBlockId,
  fallbackText,
  headerBlock,
  headerBlockId,
  renderSlack,
  stateBlock,
  stateBlockId,
} from './render-slack.ts';
import { objectOf } from './slack-api.ts';
import type { SlackApi, SlackResult } from './slack-api.ts';
import { blocksMax } from './slack-blocks.ts';
import type { SlackBlock } from './slack-blocks.ts';
import type { SlackMessageId } from './slack-message-id.ts';

/** What became of the living message. */
export type LivingUpdate =
  /** It shows how things stand, or already shows something later. */
  | { readonly kind: 'current' }
  /** Somebody deleted it: there is no thread any more. */
  | { readonly kind: 'gone' }
  /** The token, the channel or the rate is at fault: posting would fail the same way. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** It could not be changed. What is to be told is told all the same. */
  | { readonly kind: 'failed'; readonly refusal: Refusal };

/**
 * Brings the first message of a conversation up to date: its header and state line say how things stand now, its list
 * stays what it was, its buttons go when nothing is open. Changing it twice changes nothing.
 *
 * The list is taken from the message as Slack holds it. A token that may not read it has the list of the newest message
 * shown instead, as has one for which Slack cannot be asked at the last try.
 *
 * @param last whether no other try follows
 */
export const updateLivingMessage = async (
  api: SlackApi,
  root: SlackMessageId,
  outgoing: Outgoing,
  { acknowledgeable, last }: { readonly acknowledgeable: boolean; readonly last: boolean },
): Promise<LivingUpdate> => {
  const { message, deliveryId } = outgoing;
  const read = await api.read('conversations.replies', {
    channel: root.channel,
    ts: root.ts,
    limit: '1',
    inclusive: 'true',
    include_all_metadata: 'true',
  });
  if (!read.ok && read.refusal.outcome !== 'rejected' && !last) return { kind: 'failed', refusal: read.refusal };
  const shown = read.ok ? firstMessage(read.answer, root) : null;
  const metadata = readMetadata(shown);
  if (metadata !== null && Date.parse(metadata.as_of) > Date.parse(message.composedAt)) return { kind: 'current' };
  const result = await api.write('chat.update', {
    channel: root.channel,
    ts: root.ts,
    parse: 'none',
    link_names: false,
    text: fallbackText(message),
    blocks:
      keptBlocks(shown, outgoing) ?? renderSlack(message, { acknowledgeable, deliveryId, inThread: false }).blocks,
    // Its identity is that of the first delivery; only what it shows is newer.
    ...(metadata === null
      ? {}
      : {
          metadata: {
            ...messageMetadata(outgoing),
            event_payload: { ...metadata, as_of: messageMetadata(outgoing).event_payload.as_of },
          },
        }),
  });
  return updateOf(result);
};

const updateOf = (result: SlackResult): LivingUpdate => {
  if (result.ok) return { kind: 'current' };
  const { error, refusal } = result;
  if (error === 'message_not_found') return { kind: 'gone' };
  const stops =
    refusal.reason === 'rate-limited' ||
    (refusal.outcome === 'rejected' && (refusal.reason === 'unauthorized' || refusal.reason === 'misconfigured'));
  return { kind: stops ? 'refused' : 'failed', refusal };
};

const firstMessage = (
  { messages }: Readonly<Record<string, unknown>>,
  { ts }: SlackMessageId,
): Readonly<Record<string, unknown>> | null => {
  const list: readonly unknown[] = Array.isArray(messages) ? messages : [];
  return objectOf(list.find((one) => objectOf(one)?.['ts'] === ts));
};

/** The blocks it has, with header, state and buttons as they are now; null when they cannot be used. */
const keptBlocks = (
  shown: Readonly<Record<string, unknown>> | null,
  { message }: Outgoing,
): readonly (SlackBlock | Readonly<Record<string, unknown>>)[] | null => {
  const blocks = shown?.['blocks'];
  if (!Array.isArray(blocks) || blocks.length > blocksMax) return null;
  const replaced = blocks.map(objectOf).flatMap((block) => {
    switch (block?.['block_id']) {
      case undefined:
        return block === null ? [null] : [block];
      case headerBlockId:
        return [headerBlock(message)];
      case stateBlockId:
        return [stateBlock(message)];
      case actionsBlockId:
        return livingState(message).over ? [] : [block];
      default:
        return [block];
    }
  });
  const whole = replaced.filter((block) => block !== null && block !== undefined);
  const hasState = blocks.some((block) => objectOf(block)?.['block_id'] === stateBlockId);
  return whole.length === replaced.length && hasState ? whole : null;
};
