import { setTimeout as delay } from 'node:timers/promises';
import { listMails, readMail } from './outbox-mail.ts';
import type { Stage } from './stage.ts';
import { showMail } from './tell-mail.ts';

const lookEveryMs = 1000;

/** Shows every mail that arrives in the local mailbox from now on, until `signal` aborts. */
export async function showNewMails(stage: Stage, signal: AbortSignal): Promise<void> {
  const known = new Set(await listMails(stage.outboxDirectory));
  while (!signal.aborted) {
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
    for (const file of await listMails(stage.outboxDirectory)) {
      if (known.has(file)) continue;
      known.add(file);
      showMail(stage, 'A new mail', await readMail(file));
    }
  }
}
