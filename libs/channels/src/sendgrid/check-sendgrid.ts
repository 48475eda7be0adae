import type { ChannelCheck, SendGridConfig, SendOptions } from '../channel.ts';
import { post } from '../http/post.ts';
import { silenceOutcome } from '../http/silence-outcome.ts';
import type { MailAddress } from '../mail/mail-address.ts';
import { answerOutcome, sendGridBaseUrl } from './sendgrid-outcome.ts';

/**
 * Asks SendGrid to check a mail and not to send it: sandbox mode, answered with 200
 * (https://www.twilio.com/docs/sendgrid/for-developers/sending-email/sandbox-mode). Shows a wrong key, one without the
 * right to send, and addresses that are none; whether the sender is verified shows only with a mail.
 *
 * With 202 SendGrid took the mail for sending instead. The settings work all the same, and the detail says what happened.
 */
export const checkSendGrid = async (
  { apiKey, baseUrl }: SendGridConfig,
  { from, to }: { readonly from: MailAddress; readonly to: readonly MailAddress[] },
  { signal, timeoutMs }: SendOptions,
): Promise<ChannelCheck> => {
  const secrets = [apiKey];
  const url = URL.parse('/v3/mail/send', baseUrl ?? sendGridBaseUrl);
  if (url === null) return { ok: false, detail: 'The base URL of SendGrid is not one.' };
  const result = await post({
    url: url.href,
    headers: { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      personalizations: [{ to: to.map(({ address }) => ({ email: address })) }],
      from: { email: from.address },
      subject: 'Tocsin checks its settings',
      content: [{ type: 'text/plain', value: 'Tocsin checks its settings. This mail is not meant to be delivered.' }],
      mail_settings: { sandbox_mode: { enable: true } },
    }),
    signal,
    timeoutMs,
  });
  const outcome =
    result.kind === 'silence' ? silenceOutcome(result, secrets) : answerOutcome(result, secrets, Date.now());
  if (outcome.outcome !== 'accepted') return { ok: false, detail: outcome.detail };
  return outcome.status === 200
    ? { ok: true, detail: 'SendGrid takes the key and would take mails to these addresses.' }
    : {
        ok: true,
        detail: `SendGrid answered ${outcome.status} instead of 200: it did not keep to its sandbox, and a mail about this check may arrive.`,
      };
};
