import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** A mail in the local mailbox. */
export interface OutboxMail {
  readonly file: string;
  /** The file for a browser, beside it. */
  readonly htmlFile: string;
  readonly text: string;
  readonly messageId: string;
  /** The Message-IDs of the mails it belongs under (RFC 5322, 3.6.4). */
  readonly references: readonly string[];
}

const mailsMax = 10_000;

/** The paths of all mails in the mailbox, oldest name first; none while the folder does not exist. */
export async function listMails(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const mails = names.filter((name) => name.endsWith('.eml')).toSorted();
  return mails.slice(-mailsMax).map((name) => path.join(directory, name));
}

/** The mail whose Message-ID has this part before the @; undefined while there is none. */
export async function findMail(directory: string, messageId: string): Promise<OutboxMail | undefined> {
  const files = await listMails(directory);
  for (const file of files.toReversed()) {
    const mail = await readMail(file);
    if (mail.messageId.split('@', 1)[0] === withoutBrackets(messageId).split('@', 1)[0]) return mail;
  }
  return undefined;
}

/** Reads a mail: its threading headers, and the text part from the .txt file beside it. */
export async function readMail(file: string): Promise<OutboxMail> {
  const headers = readHeaders(await readFile(file, 'utf8'));
  const text = await readFile(file.replace(/\.eml$/, '.txt'), 'utf8').catch(() => '(no text part)');
  return {
    file,
    htmlFile: file.replace(/\.eml$/, '.html'),
    text,
    messageId: withoutBrackets(headers.get('message-id') ?? ''),
    references: (headers.get('references') ?? '').split(/\s+/).filter(Boolean).map(withoutBrackets),
  };
}

/** The headers of a mail by lower-case name; folded lines are joined (RFC 5322, 2.2.3). */
export function readHeaders(mail: string): ReadonlyMap<string, string> {
  const head = mail.split(/\r?\n\r?\n/, 1)[0] ?? '';
  const lines = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

function withoutBrackets(messageId: string): string {
  return messageId.trim().replace(/^<|>$/g, '');
}
