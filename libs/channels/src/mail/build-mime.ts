import { Buffer } from 'node:buffer';
import { TocsinError } from '@tocsin/runtime';
import type { Mail } from './compose-mail.ts';

/**
 * The mail as it goes over the wire (RFC 5322, MIME, CRLF line ends): plain text and HTML as alternatives. The Date
 * header is the time of this call, so that a mail that had to wait stands where its reader looks.
 *
 * Both parts are quoted-printable (RFC 2045, section 6.7) whatever they hold, since that is what their bounds reckon with.
 *
 * The first call loads nodemailer: some 25 MB that a process whose channels need no MIME never spends.
 */
export const buildMime = async (mail: Mail): Promise<Buffer> => {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'windows',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const info = await transport.sendMail({
    from: mail.from,
    to: [...mail.to],
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    messageId: mail.messageId,
    headers: { ...mail.headers },
    xMailer: false,
    textEncoding: 'quoted-printable',
    ...(mail.inReplyTo === null ? {} : { inReplyTo: mail.inReplyTo, references: mail.inReplyTo }),
  });
  if (!Buffer.isBuffer(info.message))
    throw new TocsinError(
      'MIME_NOT_BUILT',
      `The mail ${mail.messageId} was not built as one piece; nodemailer gave a stream.`,
    );
  return info.message;
};
