import { Buffer } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Oldest, and most future, time stamp of a request that is believed, in milliseconds. */
export const slackClockToleranceMs = 300_000;

/** A request to our hook, as it came. */
export interface SlackHookRequest {
  /** Header `X-Slack-Request-Timestamp`: seconds since 1970; undefined when there was none. */
  readonly timestamp: string | undefined;
  /** Header `X-Slack-Signature`: `v0=` and 64 hexadecimal digits; undefined when there was none. */
  readonly signature: string | undefined;
  /** The very bytes: a body that was parsed and written again has another signature. */
  readonly rawBody: string | Uint8Array;
}

/**
 * Whether a request comes from Slack and is fresh: HMAC-SHA256 over `v0:TIMESTAMP:BODY`, compared in constant time, and
 * at most five minutes from our clock, so that a request that was overheard cannot be repeated for ever
 * (https://docs.slack.dev/authentication/verifying-requests-from-slack).
 *
 * @param nowMs our time in milliseconds since 1970
 */
export const verifySlackRequest = (
  { timestamp, signature, rawBody }: SlackHookRequest,
  signingSecret: string,
  nowMs: number,
): boolean => {
  // Without a secret everybody could sign.
  if (signingSecret === '' || timestamp === undefined || signature === undefined) return false;
  if (!/^\d{1,12}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) return false;
  if (Math.abs(nowMs - Number(timestamp) * 1_000) > slackClockToleranceMs) return false;
  const expected = createHmac('sha256', signingSecret).update(`v0:${timestamp}:`).update(rawBody).digest('hex');
  return timingSafeEqual(Buffer.from(signature), Buffer.from(`v0=${expected}`));
};
