import { Buffer } from 'node:buffer';
import { TocsinError } from '@tocsin/runtime';

/** Length of a signing key, in bytes (Standard Webhooks, "Symmetric"). */
export const keyBytesMin = 24;
export const keyBytesMax = 64;
/** Most keys that sign one message. */
export const keysMax = 5;

/**
 * Reads `whsec_…`, or several separated by blanks, the newest first.
 *
 * @throws TocsinError `CHANNEL_MISCONFIGURED` when one is no such key. The message does not show it.
 */
export const parseWebhookSecrets = (text: string): readonly string[] => {
  const secrets = text.split(/\s+/).filter((secret) => secret !== '');
  if (secrets.length === 0 || secrets.length > keysMax || !secrets.every(isKey))
    throw new TocsinError(
      'CHANNEL_MISCONFIGURED',
      `The secret of a webhook is not one. Write whsec_ and the base64 of ${keyBytesMin} to ${keyBytesMax} random bytes; ` +
        `up to ${keysMax} of them separated by blanks while keys are rotated.`,
    );
  return secrets;
};

const isKey = (secret: string): boolean => {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  if (encoded === undefined || encoded.length % 4 !== 0) return false;
  const { length } = Buffer.from(encoded, 'base64');
  return length >= keyBytesMin && length <= keyBytesMax;
};
