import { DeliveryId } from '@tocsin/alert-model';
import { acknowledgeDelivery } from '@tocsin/alert-service';
import type { AcknowledgedDelivery, ServiceContext } from '@tocsin/alert-service';
import { parseSlackAction, verifySlackRequest } from '@tocsin/channels';
import type { Hook } from '@tocsin/runtime';

/** Where Slack's interactivity is to be pointed. */
export const slackHookPath = '/hooks/slack';
/** Longest wait for Slack to take the answer, in milliseconds. */
const answerTimeoutMs = 5_000;
/** Slack shows an error to whoever clicked when it has no answer after three seconds. */
const workDefaultMs = 2_000;

/** Posts an answer to Slack; the platform's `fetch` fits. */
export type Post = (
  url: string,
  options: {
    readonly method: 'POST';
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly redirect: 'error';
    readonly signal: AbortSignal;
  },
) => Promise<{ readonly ok: boolean; readonly status: number }>;

/** For tests, and for whoever stops the hook. */
export interface SlackHookOptions {
  readonly post?: Post;
  /** Whose answer addresses are believed. Default: Slack's. */
  readonly origins?: readonly string[];
  /** How long Slack waits for the work before it has its answer, in milliseconds. Default: two seconds. */
  readonly workMaxMs?: number;
  /** Holds what goes on after Slack has its answer; never rejects. */
  readonly underWay?: Set<Promise<void>>;
}

/**
 * Takes clicks on Acknowledge: what that message listed is acknowledged by whoever clicked, and the channel is told so.
 * What is not signed with the secret is refused; the same click twice changes nothing.
 *
 * @param secrets signing secrets of all Slack apps; empty: everything is refused
 */
export const slackHook = (
  service: ServiceContext,
  secrets: readonly string[],
  { post = fetch, origins, workMaxMs = workDefaultMs, underWay = new Set() }: SlackHookOptions = {},
): Hook => ({
  path: slackHookPath,
  handle: async ({ headers, body }) => {
    const { log } = service;
    if (secrets.length === 0)
      return {
        status: 403,
        text: 'Clicks are not taken: set SLACK_SIGNING_SECRET to the signing secret of the app.\n',
      };
    const request = {
      timestamp: headers['x-slack-request-timestamp'],
      signature: headers['x-slack-signature'],
      rawBody: body,
    };
    if (!secrets.some((secret) => verifySlackRequest(request, secret, Date.now()))) {
      log.warn({ decision: 'SlackClickRefused' }, 'a click was refused: its signature or its time is wrong');
      return { status: 403, text: 'The signature or the time of the request is wrong.\n' };
    }
    const action = parseSlackAction(new TextDecoder().decode(body), origins);
    const deliveryId = DeliveryId.safeParse(action?.deliveryId);
    // Link buttons send an action as well; there is nothing to do for them.
    if (action === null || !deliveryId.success) return { status: 200, text: '' };
    const done = acknowledge(service, deliveryId.data, action.user, action.responseUrl, post).finally(() =>
      underWay.delete(done),
    );
    underWay.add(done);
    // A storm's message lists thousands: Slack gets its answer in time, and the work goes on.
    await Promise.race([done, new Promise((resolve) => setTimeout(resolve, workMaxMs).unref())]);
    return { status: 200, text: '' };
  },
});

const acknowledge = async (
  service: ServiceContext,
  deliveryId: DeliveryId,
  by: string,
  responseUrl: string | null,
  post: Post,
): Promise<void> => {
  let text: string;
  try {
    text = answerOf(by, await acknowledgeDelivery(service, deliveryId, { by, via: 'slack' }));
  } catch (error) {
    service.log.error({ err: error, deliveryId }, 'a click on Acknowledge could not be carried out');
    text = 'It could not be acknowledged just now. Try again, or use: npx tocsin alerts ack';
  }
  if (responseUrl === null) return;
  try {
    const answer = await post(responseUrl, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      // Slack's default would show it to the clicker alone; that somebody has it matters to everybody.
      body: JSON.stringify({ response_type: 'in_channel', replace_original: false, text }),
      redirect: 'error',
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    if (!answer.ok) service.log.warn({ status: answer.status }, 'Slack did not take the answer to a click');
  } catch (error) {
    service.log.warn({ err: error }, 'Slack did not take the answer to a click');
  }
};

/** What the channel reads. Names come from Slack itself; what could be markup is escaped. */
const answerOf = (
  by: string,
  { found, acknowledged, heldBefore, heldBy, resolved, changed }: AcknowledgedDelivery,
): string => {
  if (!found) return 'This message is too old: its delivery is no longer on record.';
  const parts = [
    ...(acknowledged > 0 ? [`${counted(acknowledged, 'alert')} acknowledged by ${by}.`] : []),
    ...(heldBefore > 0 ? [`${counted(heldBefore, 'alert')} already acknowledged by ${heldBy.join(', ')}.`] : []),
    ...(resolved > 0 ? [`${counted(resolved, 'alert')} resolved by now.`] : []),
    ...(changed > 0
      ? [`${counted(changed, 'alert')} failed for another reason since, and is still open to everybody.`]
      : []),
  ];
  return escaped(parts.length === 0 ? 'Nothing in this message can be acknowledged.' : parts.join(' '));
};

const counted = (count: number, noun: string): string =>
  `${count.toLocaleString('en-GB')} ${noun}${count === 1 ? '' : 's'}`;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
