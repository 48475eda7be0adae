import type { DeliveryOutcome } from '@tocsin/alert-model';
import type { Outgoing } from '../channel.ts';
import { messageMetadata, readMetadata } from './message-metadata.ts';
import { objectOf } from './slack-api.ts';
import type { SlackApi } from './slack-api.ts';
import { messageId } from './slack-message-id.ts';
import type { SlackMessageId } from './slack-message-id.ts';

/** Messages per page, and most pages looked through: far more than a channel sees while one delivery is tried again. */
const pageMessages = 100;
const pagesMax = 5;
/** How much Slack's clock may be behind ours, in seconds. */
const clockToleranceSeconds = 60;

/**
 * Looks whether an earlier attempt arrived after all: among the replies of the thread, or the channel's messages since
 * the message was composed.
 *
 * @param root the thread; null for the channel itself
 * @param channelId null when only the channel's name is known, which Slack does not look up by
 * @returns what to report instead of sending: it is there, or Slack asks to wait, or cannot be asked just now; null when
 *   it is not there, or the token may not look (`missing_scope`)
 */
export const findDelivery = async (
  api: SlackApi,
  outgoing: Outgoing,
  root: SlackMessageId | null,
  channelId: string | null,
): Promise<DeliveryOutcome | null> => {
  if (channelId === null) return null;
  const { delivery_id: wanted } = messageMetadata(outgoing).event_payload;
  const oldest = oldestOf(outgoing.message.composedAt);
  let cursor = '';
  for (let page = 0; page < pagesMax; page += 1) {
    const result = await api.read(root === null ? 'conversations.history' : 'conversations.replies', {
      channel: channelId,
      ...(root === null ? {} : { ts: root.ts }),
      ...(oldest === null ? {} : { oldest }),
      limit: String(pageMessages),
      include_all_metadata: 'true',
      ...(cursor === '' ? {} : { cursor }),
    });
    if (!result.ok) {
      const { refusal } = result;
      if (refusal.outcome === 'rejected') return null;
      // Not sent by this attempt, whatever became of the question.
      return refusal.outcome === 'retry'
        ? refusal
        : { ...refusal, outcome: 'retry', retryAfterMs: null, reason: 'server-error' };
    }
    const { messages, response_metadata: metadata } = result.answer;
    const found = (Array.isArray(messages) ? messages : []).find((one) => readMetadata(one)?.delivery_id === wanted);
    if (found !== undefined)
      return {
        outcome: 'accepted',
        providerMessageId: messageId({ channel: channelId, ts: objectOf(found)?.['ts'] }),
        status: result.status,
      };
    const next = objectOf(metadata)?.['next_cursor'];
    if (typeof next !== 'string' || next === '') return null;
    cursor = next;
  }
  return null;
};

const oldestOf = (composedAt: string): string | null => {
  const ms = Date.parse(composedAt);
  return Number.isNaN(ms) ? null : String(Math.floor(ms / 1_000) - clockToleranceSeconds);
};
