import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import type sendGridClient from '@sendgrid/client';
import type sendGridMail from '@sendgrid/mail';
import type { Channel, Outgoing, SendGridConfig } from '../channel.ts';
import { howEnded } from '../how-ended.ts';
import { readBounded } from '../http/read-bounded.ts';
import { silenceOutcome } from '../http/silence-outcome.ts';
import { trackTransport } from '../http/tracked-transport.ts';
import type { TrackedTransport } from '../http/tracked-transport.ts';
import { composeMail } from '../mail/compose-mail.ts';
import type { Mail } from '../mail/compose-mail.ts';
import { distinctAddresses, parseMailAddress } from '../mail/mail-address.ts';
import type { MailAddress } from '../mail/mail-address.ts';
import { warmUpMail } from '../mail/warm-up-mail.ts';
import { checkSendGrid } from './check-sendgrid.ts';
import { answerOutcome, sendGridBaseUrl } from './sendgrid-outcome.ts';

type Client = typeof sendGridClient;
type MailService = typeof sendGridMail;
type ClientDefaults = Parameters<Client['setDefaultRequest']>[0];

/** The two classes of SendGrid's library. */
interface Library {
  readonly newClient: () => Client;
  readonly newMailService: () => MailService;
}

/**
 * E-mail through SendGrid's v3 API. One request per attempt to all recipients, over a connection of its own: a
 * connection kept open may be closed by the other side just as it is used again, and nobody could tell then whether
 * the message went out. Proxies named in the environment are not used.
 */
export const createSendGridChannel = (name: string, config: SendGridConfig): Channel => {
  const from = parseMailAddress(config.from);
  const to = distinctAddresses(config.to);
  const secrets = [config.apiKey];
  return {
    name,
    type: 'sendgrid',
    recipients: to.map(({ address }) => address),
    send: async (outgoing, { signal, timeoutMs }) => {
      const mail = await composeMail(outgoing, from, to);
      const library = await loadLibrary();
      const deadline = AbortSignal.timeout(timeoutMs);
      const tracked = trackTransport();
      const ended = AbortSignal.any([signal, deadline]);
      try {
        const service = mailService(library, config, tracked, ended);
        const [response] = await service.send(mailData(mail, outgoing));
        const body =
          response.statusCode >= 200 && response.statusCode < 300
            ? discard(response.body)
            : await readBounded(response.body);
        return answerOutcome(
          { status: response.statusCode, headers: { ...response.headers }, body },
          secrets,
          Date.now(),
        );
      } catch (error) {
        return silenceOutcome({ error, phase: tracked.phase(), ...howEnded(signal, deadline) }, secrets);
      }
    },
    check: (options) => checkSendGrid(config, { from, to }, options),
    warmUp: async () => {
      await Promise.all([warmUpMail(), loadLibrary(), import('axios')]);
    },
    close: async () => {},
  };
};

/**
 * Loaded by the first attempt: some 25 MB that a process without a SendGrid channel never needs. Node keeps what was
 * loaded. The classes are taken from the exported instances: the packages' types hide them from ES modules.
 */
const loadLibrary = async (): Promise<Library> => {
  const [client, mail] = await Promise.all([import('@sendgrid/client'), import('@sendgrid/mail')]);
  const ClientClass = client.default.constructor as new () => Client;
  const MailServiceClass = mail.default.constructor as new () => MailService;
  return { newClient: () => new ClientClass(), newMailService: () => new MailServiceClass() };
};

/** A client of its own for one attempt, since the library keeps signal and transport among the client's defaults. */
const mailService = (
  { newClient, newMailService }: Library,
  { apiKey, baseUrl }: SendGridConfig,
  tracked: TrackedTransport,
  signal: AbortSignal,
): MailService => {
  const client = newClient();
  // Not `setApiKey`, which writes to the console when a key does not look like one of SendGrid's.
  client.setDefaultHeader({ Authorization: `Bearer ${apiKey}`, 'Accept-Encoding': 'identity' });
  client.setDefaultRequest({
    url: '',
    baseUrl: baseUrl ?? sendGridBaseUrl,
    signal,
    transport: tracked.transport,
    httpAgent: new http.Agent({ keepAlive: false }),
    httpsAgent: new https.Agent({ keepAlive: false }),
    maxRedirects: 0,
    proxy: false,
    // The body is read by us, bounded; the library would read all of it. Without a bound of its own it hands over the
    // response itself, which ends at once when destroyed.
    responseType: 'stream',
    maxContentLength: -1,
    // Every status is an answer. The library's own error class runs the working directory's name as regular
    // expression, and fails over a directory such as `c++`.
    validateStatus: () => true,
  } as ClientDefaults);
  const service = newMailService();
  service.setClient(client);
  return service;
};

const mailData = (mail: Mail, { message, deliveryId, attemptId }: Outgoing): Parameters<MailService['send']>[0] => ({
  from: recipient(mail.from),
  personalizations: [{ to: mail.to.map(recipient) }],
  subject: mail.subject,
  content: [
    { type: 'text/plain', value: mail.text },
    { type: 'text/html', value: mail.html },
  ],
  headers: {
    ...mail.headers,
    'Message-ID': mail.messageId,
    ...(mail.inReplyTo === null ? {} : { 'In-Reply-To': mail.inReplyTo, References: mail.inReplyTo }),
  },
  categories: ['tocsin', `tocsin-${message.purpose}`],
  // Come back with every event of SendGrid's webhook, and settle what became of an attempt without an answer.
  customArgs: { delivery_id: deliveryId, attempt_id: attemptId, digest_id: message.digestId },
  trackingSettings: {
    clickTracking: { enable: false, enableText: false },
    openTracking: { enable: false },
    subscriptionTracking: { enable: false },
  },
});

const recipient = ({ name, address }: MailAddress): { email: string; name?: string } =>
  name === '' ? { email: address } : { email: address, name };

const discard = (body: unknown): string => {
  if (body instanceof Readable) body.on('error', () => {}).destroy();
  return '';
};
