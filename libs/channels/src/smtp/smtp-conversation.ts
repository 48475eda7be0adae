import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import type { SMTPConnectionSendInfo } from 'nodemailer/lib/smtp-connection';
import type { SmtpError, SmtpPhase } from './smtp-outcome.ts';
import type { SmtpServer } from './smtp-url.ts';

/** Size of the pieces in which a message is handed over, in bytes. */
const pieceBytes = 16_384;
/** How long the server may take to say goodbye, in milliseconds; the message is accepted by then. */
const goodbyeMs = 1_000;
/** Largest single reply that is read, in bytes. */
const replyBytesMax = 65_536;

export interface SmtpMessage {
  readonly from: string;
  readonly to: readonly string[];
  readonly mime: Buffer;
}

export type SmtpResult =
  | { readonly ok: true; readonly info: SMTPConnectionSendInfo }
  | { readonly ok: false; readonly error: SmtpError; readonly phase: SmtpPhase };

/**
 * One message over one connection: greeting, STARTTLS, AUTH, envelope, DATA, QUIT. Tells how far it came when it fails;
 * nodemailer's own transport does not, and everything depends on whether the end of the message had been sent.
 * Rejects only when nodemailer itself, which the first conversation loads, is not there; nothing was sent then.
 *
 * @param signal ends the conversation wherever it is
 * @param timeoutMs bound for each single wait, in milliseconds
 */
export const converse = async (
  server: SmtpServer,
  message: SmtpMessage,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<SmtpResult> => {
  const { default: SMTPConnection } = await import('nodemailer/lib/smtp-connection');
  return new Promise((resolve) => {
    let phase: SmtpPhase = 'connecting';
    const connection = new SMTPConnection({
      host: server.host,
      port: server.port,
      secure: server.secure,
      requireTLS: server.requireTls,
      opportunisticTLS: !server.secure && !server.requireTls,
      tls: { rejectUnauthorized: server.verifyCertificate },
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      dnsTimeout: timeoutMs,
      maxResponseSize: replyBytesMax,
      logger: false,
    });
    const settle = (result: SmtpResult): void => {
      signal.removeEventListener('abort', onAbort);
      if (!result.ok) connection.close();
      resolve(result);
    };
    const fail = (error: Error): void => settle({ ok: false, error, phase });
    const onAbort = (): void => fail(new Error('The attempt was ended.'));

    connection.on('error', fail);
    // A connection may end without any callback being called, for instance when the server hangs up between two
    // commands. Where there is a reason, it is told within the same turn, after the end; hence the wait for it.
    connection.on('end', () => setImmediate(() => fail(new Error('The server closed the connection.'))));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) return onAbort();

    const transmit = (): void => {
      phase = 'envelope';
      const source = pieces(message.mime, (reached) => {
        phase = reached;
      });
      connection.send({ from: message.from, to: [...message.to], size: message.mime.length }, source, (error, info) => {
        if (error !== null && error !== undefined) return fail(error);
        if (info === undefined) return fail(new Error('The server gave no reply to the message.'));
        settle({ ok: true, info });
        connection.quit();
        setTimeout(() => connection.close(), goodbyeMs).unref();
      });
    };
    connection.connect((error) => {
      if (error) return fail(error);
      if (server.auth === null) return transmit();
      connection.login({ user: server.auth.user, pass: server.auth.pass }, (refusal) =>
        refusal ? fail(refusal) : transmit(),
      );
    });
  });
};

// Read only once the server has said 354 and nodemailer pipes it to the socket. The end is reported when it is handed
// over, a little before it is on the wire: rather an `unknown` too many than a message told twice for certain.
const pieces = (mime: Buffer, report: (phase: 'data' | 'ended') => void): Readable =>
  Readable.from(
    (function* () {
      report('data');
      for (let offset = 0; offset < mime.length; offset += pieceBytes) yield mime.subarray(offset, offset + pieceBytes);
      report('ended');
    })(),
    { objectMode: false },
  );
