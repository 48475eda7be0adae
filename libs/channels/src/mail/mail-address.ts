import { domainToASCII } from 'node:url';
import { cleanLine } from '@tocsin/email-templates';

const nameCharactersMax = 100;

/** A mailbox: `Ada <ada@example.com>`. */
export interface MailAddress {
  /** Empty when there is none. */
  readonly name: string;
  readonly address: string;
}

/**
 * Reads `ada@example.com` or `Ada <ada@example.com>`, both checked by the configuration. Signs that could end a name or
 * begin another address are dropped; SendGrid forbids commas and semicolons in names as well.
 */
export const parseMailAddress = (text: string): MailAddress => {
  const match = /^([^<>]*)<([^<>]*)>\s*$/.exec(text);
  const address = (match?.[2] ?? text).replace(/[\s<>,;]/g, '');
  return { name: cleanLine((match?.[1] ?? '').replace(/[",;<>\\]/g, ''), nameCharactersMax), address };
};

/** The addresses without those that are named twice, which SendGrid refuses. Letter case does not tell mailboxes apart. */
export const distinctAddresses = (texts: readonly string[]): readonly MailAddress[] => {
  const known = new Map<string, MailAddress>();
  for (const text of texts) {
    const address = parseMailAddress(text);
    const key = address.address.toLowerCase();
    if (!known.has(key)) known.set(key, address);
  }
  return [...known.values()];
};

/** The domain of an address, in the ASCII form that headers need. */
export const mailDomain = ({ address }: MailAddress): string => {
  const domain = address.slice(address.lastIndexOf('@') + 1);
  return domainToASCII(domain) || 'localhost';
};
