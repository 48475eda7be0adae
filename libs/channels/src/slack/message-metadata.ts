import { cleanLine } from '@tocsin/email-templates';
import type { Outgoing } from '../channel.ts';
import { objectOf } from './slack-api.ts';

/** Marks messages of Tocsin's among those of a channel (https://docs.slack.dev/messaging/message-metadata). */
export const metadataType = 'tocsin_digest';
const idCharactersMax = 100;

/** What a message carries that no reader sees. */
export interface MessageMetadata {
  readonly event_type: typeof metadataType;
  readonly event_payload: {
    readonly delivery_id: string;
    readonly digest_id: string;
    /** `composedAt` of the message whose state it shows: a late one does not overwrite a later one. */
    readonly as_of: string;
  };
}

/** Metadata of a message that is posted. */
export const messageMetadata = ({ message, deliveryId }: Outgoing): MessageMetadata => ({
  event_type: metadataType,
  event_payload: {
    delivery_id: cleanLine(deliveryId, idCharactersMax),
    digest_id: cleanLine(message.digestId, idCharactersMax),
    as_of: cleanLine(message.composedAt, idCharactersMax),
  },
});

/** The metadata of a message that Slack lists; null when it is none of ours, or Slack does not show it. */
export const readMetadata = (listed: unknown): MessageMetadata['event_payload'] | null => {
  const metadata = objectOf(objectOf(listed)?.['metadata']);
  const payload = objectOf(metadata?.['event_payload']);
  if (metadata?.['event_type'] !== metadataType || payload === null) return null;
  const { delivery_id, digest_id, as_of } = payload;
  return typeof delivery_id === 'string' && typeof digest_id === 'string' && typeof as_of === 'string'
    ? { delivery_id, digest_id, as_of }
    : null;
};
