import { Buffer } from 'node:buffer';
import { TocsinError } from '@tocsin/runtime';
import { createTransport } from 'nodemailer';
import type { Mail } from './compose-mail.ts';

/**
 * The mail as it goes over the wire (RFC 5322, MIME, CRLF line ends): plain text and HTML as alternatives. The Date
 * header is the time of this call, so that a mail that had to wait stands where its reader looks.
 */
export const buildMime = async (mail: Mail): Promise<Buffer> => {
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
    ...(mail.inReplyTo === null ? {} : { inReplyTo: mail.inReplyTo, references: mail.inReplyTo }),
  });
  if (!Buffer.isBuffer(info.message))
    throw new TocsinError(
      'MIME_NOT_BUILT',
      `The mail ${mail.messageId} was not built as one piece; nodemailer gave a stream.`,
    );
  return info.message;
};
