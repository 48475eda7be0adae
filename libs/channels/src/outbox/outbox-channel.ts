import { randomUUID } from 'node:crypto';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeliveryOutcome } from '@tocsin/alert-model';
import type { Channel, OutboxConfig, Outgoing, SendOptions } from '../channel.ts';
import { buildMime } from '../mail/build-mime.ts';
import { composeMail, idText } from '../mail/compose-mail.ts';
import { parseMailAddress } from '../mail/mail-address.ts';
import { warmUpMail } from '../mail/warm-up-mail.ts';
import { errorDetail } from '../safe-detail.ts';
import { keepNewest } from './keep-newest.ts';

const from = parseMailAddress('Tocsin <tocsin@localhost>');
const to = parseMailAddress('Outbox <outbox@localhost>');

/**
 * A local mailbox: every message becomes a real mail file (`.eml`) with its HTML and text beside it. For trying things
 * out, and as the last place left when every provider refuses.
 *
 * Files appear whole or not at all, `.eml` last. The name comes from the message's own time and Message-ID, so a
 * message sent twice is one file. Directory 0700, files 0600: they name what failed and why. With `keep`, only the
 * newest messages stay.
 */
export const createOutboxChannel = (name: string, { directory, keep }: OutboxConfig): Channel => ({
  name,
  type: 'outbox',
  recipients: [directory],
  send: async (outgoing: Outgoing, { signal }: SendOptions): Promise<DeliveryOutcome> => {
    if (signal.aborted)
      return {
        outcome: 'retry',
        reason: 'timeout-before-send',
        retryAfterMs: null,
        status: null,
        detail: 'Stopped before it was written.',
      };
    const mail = await composeMail(outgoing, from, [to]);
    const mime = await buildMime(mail);
    const base = `${fileTime(outgoing.message.composedAt)}-${idText(outgoing.messageId)}`;
    try {
      await prepareDirectory(directory);
      await writeWhole(directory, `${base}.txt`, mail.text);
      await writeWhole(directory, `${base}.html`, mail.html);
      await writeWhole(directory, `${base}.eml`, mime);
    } catch (error) {
      return { outcome: 'retry', reason: 'storage', retryAfterMs: null, status: null, detail: errorDetail(error, []) };
    }
    // The message is there: that old ones could not be removed is no reason to write it again.
    if (keep !== undefined) await keepNewest(directory, Math.max(1, keep)).catch(() => {});
    return { outcome: 'accepted', providerMessageId: `${base}.eml`, status: null };
  },
  warmUp: async () => {
    await Promise.all([warmUpMail(), import('nodemailer')]);
  },
  close: async () => {},
});

const fileTime = (instant: string): string => idText(instant.replace(/\.\d+/, '').replaceAll(':', ''));

// `mkdir` leaves the mode of a directory that exists; one made by hand may be open to everybody.
const prepareDirectory = async (directory: string): Promise<void> => {
  const made = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (made !== undefined) await chmod(directory, 0o700);
};

// Written and flushed under another name first: a reader, or a crash, never meets half a file.
const writeWhole = async (directory: string, fileName: string, content: string | Uint8Array): Promise<void> => {
  const temporary = join(directory, `.${fileName}.${randomUUID()}.tmp`);
  try {
    await writeFile(temporary, content, { mode: 0o600, flag: 'wx', flush: true });
    await rename(temporary, join(directory, fileName));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
};
