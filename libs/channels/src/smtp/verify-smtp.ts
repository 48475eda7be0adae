import { errorDetail } from '../safe-detail.ts';
import type { ChannelCheck, SendOptions } from '../channel.ts';
import type { SmtpServer } from './smtp-url.ts';

/**
 * Greets the server, changes to TLS and logs in, as for a message, and hangs up. Whether it takes mail for the recipients
 * shows only with a message. Never rejects but where nodemailer is missing.
 */
export const verifySmtp = async (
  server: SmtpServer,
  { signal, timeoutMs }: SendOptions,
  secrets: readonly string[],
): Promise<ChannelCheck> => {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: server.requireTls,
    tls: { rejectUnauthorized: server.verifyCertificate },
    ...(server.auth === null ? {} : { auth: { user: server.auth.user, pass: server.auth.pass } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    logger: false,
  });
  const ended = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const { promise: end, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(new Error('No answer in time.'));
  ended.addEventListener('abort', onAbort, { once: true });
  if (ended.aborted) onAbort();
  try {
    await Promise.race([transport.verify(), end]);
    return {
      ok: true,
      detail:
        `${server.host}:${server.port} answers` +
        (server.auth === null ? '; it was not asked for a login.' : ' and takes the login.'),
    };
  } catch (error) {
    return { ok: false, detail: errorDetail(error, secrets) };
  } finally {
    ended.removeEventListener('abort', onAbort);
    transport.close();
  }
};
