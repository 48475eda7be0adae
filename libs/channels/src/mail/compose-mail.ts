import { renderDigest } from '@tocsin/email-templates';
import type { Outgoing } from '../channel.ts';
import { mailDomain } from './mail-address.ts';
import type { MailAddress } from './mail-address.ts';

const idCharactersMax = 200;

/** A mail, whoever carries it. No field holds a line break except `text` and `html`. */
export interface Mail {
  readonly from: MailAddress;
  readonly to: readonly MailAddress[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** With angle brackets. */
  readonly messageId: string;
  /** Message-ID of the thread's first mail, for every later one; null for the first. */
  readonly inReplyTo: string | null;
  /** Further headers, all ASCII. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Renders what is to be sent and gives it its identity.
 *
 * The Message-ID depends on the delivery alone, so a mail sent twice is seen once. Later mails of a thread name the
 * first one in In-Reply-To and References (RFC 5322, section 3.6.4); Gmail groups by these and the unchanged subject.
 * Auto-Submitted (RFC 3834) and X-Auto-Response-Suppress (Exchange) keep absence notes away.
 */
export const composeMail = async (outgoing: Outgoing, from: MailAddress, to: readonly MailAddress[]): Promise<Mail> => {
  const { message } = outgoing;
  const domain = mailDomain(from);
  const { subject, html, text } = await renderDigest(message);
  return {
    from,
    to,
    subject,
    text,
    html,
    messageId: messageId(outgoing.messageId, domain),
    inReplyTo: message.followUp ? messageId(message.threadId, domain) : null,
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      'X-Tocsin-Delivery': idText(outgoing.deliveryId),
    },
  };
};

/** Text as part of a Message-ID or a file name: letters, digits, `.`, `_` and `-` only. */
export const idText = (text: string): string =>
  text.slice(0, idCharactersMax).replace(/[^0-9A-Za-z._-]/g, '-') || 'none';

const messageId = (localPart: string, domain: string): string => `<${idText(localPart)}@${domain}>`;
