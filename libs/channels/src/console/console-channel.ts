import { itemsPerMessageMax } from '@tocsin/alert-model';
import type { DeliveryOutcome, MessageItem } from '@tocsin/alert-model';
import { cleanLine, orderItems } from '@tocsin/email-templates';
import type { Channel, ChannelLog, Outgoing, SendOptions } from '../channel.ts';

const headlineCharactersMax = 300;
const titleCharactersMax = 200;
const noticesMax = 10;
const nameCharactersMax = 100;

/**
 * Writes every message as one structured log line. Failures are logged at level error, so that a quiet log level does
 * not swallow them; a message in which nothing failed, only recoveries and what became of jobs told before, at level info.
 */
export const createConsoleChannel = (name: string, { log }: { readonly log: ChannelLog }): Channel => ({
  name,
  type: 'console',
  recipients: ['log'],
  send: async ({ message, deliveryId }: Outgoing, { signal }: SendOptions): Promise<DeliveryOutcome> => {
    if (signal.aborted)
      return {
        outcome: 'retry',
        reason: 'timeout-before-send',
        retryAfterMs: null,
        status: null,
        detail: 'Stopped before it was written.',
      };
    const headline = cleanLine(message.headline, headlineCharactersMax);
    const items = orderItems(message.items).slice(0, itemsPerMessageMax);
    const fields = {
      channel: name,
      digestId: message.digestId,
      deliveryId: cleanLine(deliveryId, nameCharactersMax),
      route: cleanLine(message.route, nameCharactersMax),
      severity: message.severity,
      items: items.map(itemLine),
      omittedAlerts: message.omittedAlerts,
      notices: message.notices.slice(0, noticesMax).map((notice) => cleanLine(notice, headlineCharactersMax)),
    };
    if (items.length > 0 && items.every(tellsNoFailure)) log.info(fields, headline);
    else log.error(fields, headline);
    return { outcome: 'accepted', providerMessageId: null, status: null };
  },
  close: async () => {},
});

const tellsNoFailure = ({ kind, failures }: MessageItem): boolean =>
  kind === 'resolved' || kind === 'recovered' || (kind === 'update' && failures === 0);

const itemLine = (item: MessageItem): string =>
  `${item.kind}: ${cleanLine(item.title, titleCharactersMax)} (alert ${item.alertId.slice(0, 8)})`;
