import { Buffer } from 'node:buffer';
import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { TocsinError } from '@tocsin/runtime';

/** Oldest, and most future, time stamp of a request that is believed, in milliseconds. SendGrid names none; this is Stripe's and Svix's. */
export const sendGridClockToleranceMs = 300_000;

/** Longest signature and key that are looked at, in characters; both have some 100. */
const encodedCharactersMax = 1_000;

/** A request to our hook, as it came. */
export interface SendGridHookRequest {
  /** Header `X-Twilio-Email-Event-Webhook-Timestamp`: seconds since 1970; undefined when there was none. */
  readonly timestamp: string | undefined;
  /** Header `X-Twilio-Email-Event-Webhook-Signature`: base64 of an ECDSA signature in DER; undefined when there was none. */
  readonly signature: string | undefined;
  /** The very bytes: a body that was parsed and written again has another signature. */
  readonly rawBody: string | Uint8Array;
}

/** `detail` says what is wrong, for the log; it holds nothing of the request. */
export type SendGridVerdict = { readonly ok: true } | { readonly ok: false; readonly detail: string };

/**
 * Reads the verification key of SendGrid's Event Webhook: base64 of a P-256 public key in SPKI DER, as SendGrid shows it.
 *
 * @throws TocsinError `CHANNEL_MISCONFIGURED` when it is no such key
 */
export const parseSendGridKey = (text: string): KeyObject => {
  const key = publicKeyOf(text.trim());
  if (key?.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new TocsinError(
      'CHANNEL_MISCONFIGURED',
      'SENDGRID_WEBHOOK_KEY is not the key of a signed Event Webhook. Copy the verification key from SendGrid, ' +
        'Settings, Mail Settings, Event Webhook, Signature Verification: some 120 characters that begin with MFkw.',
    );
  return key;
};

/**
 * Whether a request comes from SendGrid and is fresh: ECDSA over P-256 and SHA-256 of the time stamp followed by the body
 * (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features),
 * at most five minutes from our clock. The signature is checked whatever the time stamp says, so that the time an answer
 * takes tells nothing.
 *
 * @param nowMs our time in milliseconds since 1970
 */
export const verifySendGridEvents = (
  { timestamp, signature, rawBody }: SendGridHookRequest,
  key: KeyObject,
  nowMs: number,
): SendGridVerdict => {
  if (timestamp === undefined || signature === undefined)
    return refused('The request is not signed. Turn on Signature Verification of the Event Webhook in SendGrid.');
  if (!/^\d{1,12}$/.test(timestamp)) return refused('The time stamp of the request is none.');
  const genuine =
    signature.length <= encodedCharactersMax &&
    verify(
      'sha256',
      Buffer.concat([Buffer.from(timestamp), typeof rawBody === 'string' ? Buffer.from(rawBody) : rawBody]),
      key,
      Buffer.from(signature, 'base64'),
    );
  const awayMs = nowMs - Number(timestamp) * 1_000;
  if (!genuine) return refused('The signature does not fit the request: forged, changed on its way, or another key.');
  if (Math.abs(awayMs) <= sendGridClockToleranceMs) return { ok: true };
  const seconds = Math.round(Math.abs(awayMs) / 1_000);
  return refused(
    `The request was signed ${seconds} s ${awayMs > 0 ? 'ago' : 'in the future'}; at most ` +
      `${sendGridClockToleranceMs / 1_000} s are allowed. Repeated, held up, or a clock is wrong.`,
  );
};

const refused = (detail: string): SendGridVerdict => ({ ok: false, detail });

const publicKeyOf = (text: string): KeyObject | null => {
  if (text.length > encodedCharactersMax || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  try {
    return createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
  } catch {
    return null;
  }
};
