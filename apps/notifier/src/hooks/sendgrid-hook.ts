import { settleProviderEvents } from '@tocsin/alert-service';
import type { ServiceContext } from '@tocsin/alert-service';
import { parseSendGridEvents, parseSendGridKey, verifySendGridEvents } from '@tocsin/channels';
import type { Hook } from '@tocsin/runtime';
import type { NotifierMetrics } from '../notifier-metrics.ts';

/** Where SendGrid's Event Webhook is to be pointed. */
export const sendGridHookPath = '/hooks/sendgrid';

/**
 * Takes SendGrid's signed events: what was delivered is confirmed, what may have been sent is settled, what came back goes
 * through the next channel. Answers 200 only after the events are stored, since SendGrid repeats what it gets no 2xx for
 * (for 24 hours); 403 to what is not signed by it.
 *
 * @param publicKey the verification key as SendGrid shows it; null: everything is refused
 * @throws TocsinError `CHANNEL_MISCONFIGURED` when the key is none
 */
export const sendGridHook = (
  service: ServiceContext,
  publicKey: string | null,
  metrics: Pick<NotifierMetrics, 'providerEvents'>,
): Hook => {
  const key = publicKey === null ? null : parseSendGridKey(publicKey);
  return {
    path: sendGridHookPath,
    handle: async ({ headers, body }) => {
      if (key === null)
        return {
          status: 403,
          text: 'Events are not taken: set SENDGRID_WEBHOOK_KEY to the verification key of the Event Webhook.\n',
        };
      const verdict = verifySendGridEvents(
        {
          timestamp: headers['x-twilio-email-event-webhook-timestamp'],
          signature: headers['x-twilio-email-event-webhook-signature'],
          rawBody: body,
        },
        key,
        Date.now(),
      );
      if (!verdict.ok) {
        service.log.warn({ decision: 'ProviderEventsRefused', reason: verdict.detail }, 'events were refused');
        return { status: 403, text: `${verdict.detail}\n` };
      }
      const parsed = parseSendGridEvents(new TextDecoder().decode(body));
      if (!parsed.ok) return { status: 400, text: `${parsed.detail}\n` };
      await settleProviderEvents(service, parsed.events);
      for (const { event } of parsed.events) metrics.providerEvents.add({ provider: 'sendgrid', event });
      return { status: 200, text: 'ok\n' };
    },
  };
};
