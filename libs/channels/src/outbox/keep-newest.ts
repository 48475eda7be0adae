import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Most old messages removed at once; the next message removes more. */
const removedMax = 1_000;
/** `2026-11-16T030712Z-….eml`: what a channel writes, and nothing that somebody else put beside it. */
const ownMail = /^\d{4}-\d{2}-\d{2}T\d{6}Z-[0-9A-Za-z._-]+\.eml$/;

/**
 * Removes the oldest messages of an outbox, each with its HTML and text, so that `keep` stay. Names sort by time. Another
 * process may do the same at the same time.
 */
export const keepNewest = async (directory: string, keep: number): Promise<void> => {
  const mails = (await readdir(directory)).filter((file) => ownMail.test(file)).toSorted();
  for (const mail of mails.slice(0, Math.max(0, mails.length - keep)).slice(0, removedMax)) {
    const base = mail.slice(0, -'.eml'.length);
    for (const file of [mail, `${base}.html`, `${base}.txt`]) await rm(join(directory, file), { force: true });
  }
};
