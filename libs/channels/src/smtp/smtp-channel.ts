import type { Channel, ChannelLog, SmtpConfig } from '../channel.ts';
import { howEnded } from '../how-ended.ts';
import { buildMime } from '../mail/build-mime.ts';
import { composeMail } from '../mail/compose-mail.ts';
import { distinctAddresses, parseMailAddress } from '../mail/mail-address.ts';
import { warmUpMail } from '../mail/warm-up-mail.ts';
import { errorDetail, safeDetail } from '../safe-detail.ts';
import { converse } from './smtp-conversation.ts';
import { smtpFailure } from './smtp-outcome.ts';
import { parseSmtpUrl } from './smtp-url.ts';
import { verifySmtp } from './verify-smtp.ts';

/**
 * E-mail through an SMTP server. One connection per attempt, one copy for all recipients.
 *
 * A message that at least one recipient's server took is accepted: the alert reached somebody, and sending it again
 * would tell that one twice. Each refused recipient is logged at level error.
 *
 * @throws TocsinError `CHANNEL_MISCONFIGURED` when the URL is not one
 */
export const createSmtpChannel = (name: string, config: SmtpConfig, { log }: { readonly log: ChannelLog }): Channel => {
  const server = parseSmtpUrl(config.url);
  const from = parseMailAddress(config.from);
  const to = distinctAddresses(config.to);
  const secrets = server.auth === null ? [] : [server.auth.pass];
  return {
    name,
    type: 'smtp',
    recipients: to.map(({ address }) => address),
    send: async (outgoing, { signal, timeoutMs }) => {
      const deadline = AbortSignal.timeout(timeoutMs);
      const mime = await buildMime(await composeMail(outgoing, from, to));
      const message = { from: from.address, to: to.map(({ address }) => address), mime };
      const result = await converse(server, message, AbortSignal.any([signal, deadline]), timeoutMs);
      if (!result.ok) return smtpFailure(result.error, result.phase, howEnded(signal, deadline), secrets);
      for (const [index, recipient] of result.info.rejected.entries()) {
        const detail = errorDetail(result.info.rejectedErrors?.[index] ?? 'refused', secrets);
        log.error(
          { channel: name, deliveryId: outgoing.deliveryId, recipient, detail },
          'The mail server refused a recipient; others got the message.',
        );
      }
      return {
        outcome: 'accepted',
        providerMessageId: queueId(result.info.response, secrets),
        status: replyCode(result.info.response),
      };
    },
    check: (options) => verifySmtp(server, options, secrets),
    warmUp: async () => {
      await Promise.all([warmUpMail(), import('nodemailer/lib/smtp-connection')]);
    },
    close: async () => {},
  };
};

const replyCode = (response: string): number | null => {
  const code = Number.parseInt(response, 10);
  return Number.isNaN(code) ? null : code;
};

// Postfix and most others: `250 2.0.0 Ok: queued as 4Xk2…`.
const queueId = (response: string, secrets: readonly string[]): string | null => {
  const id = /queued as ([\w.-]{1,100})/i.exec(response)?.[1];
  return id === undefined ? null : safeDetail(id, secrets);
};
