import { setTimeout as delay } from 'node:timers/promises';
import type { SendGridDouble, SendGridMail } from '@tocsin/testing';
import { sendGridEvent } from './hooks.ts';
import type { SendGridHook } from './hooks.ts';
import type { Random } from './random.ts';
import { waitUntil } from './wait-until.ts';

/** What SendGrid says later on of the mails it has taken. */
export interface SendGridWords {
  /** What it has said, by event; repetitions are counted under `again`. */
  readonly said: () => Readonly<Record<string, number>>;
  /** Says the rest, everything at least once, and ends. */
  readonly stop: () => Promise<void>;
}

export interface SendGridWordsOptions {
  readonly hook: SendGridHook;
  /** Ports of the notifiers; those that are away are tried again later, as SendGrid does for a day. */
  readonly ports: readonly number[];
  /** How long after the mail it says something, in milliseconds. */
  readonly lateMs: { readonly min: number; readonly max: number };
  /** Share of the mails that come back from everybody. */
  readonly bounces: number;
  /** Share of the events that come once more. */
  readonly repeated: number;
  readonly random: Random;
}

const lookEveryMs = 100;
/** Pause before a request that nobody took is made again, in milliseconds. */
const againMs = 500;
/** Events of one request. */
const eventsPerRequestMax = 20;
const stopMaxMs = 60_000;

interface Word {
  readonly event: object;
  readonly name: string;
  readonly atMs: number;
}

/**
 * Speaks of every mail: that it was processed, then that it was delivered or came back. Late, in any order, in batches, some
 * of it twice, signed, to one notifier or the other.
 */
export const startSendGridWords = (
  double: Pick<SendGridDouble, 'messages'>,
  { hook, ports, lateMs, bounces, repeated, random }: SendGridWordsOptions,
): SendGridWords => {
  const said = new Map<string, number>();
  const words: Word[] = [];
  let seen = 0;
  let stopping = false;
  const think = (mail: SendGridMail): void => {
    const names = ['processed', random.next() < bounces ? 'bounce' : 'delivered'];
    for (const name of names) {
      const event = sendGridEvent(mail, name);
      const atMs = performance.now() + random.between(lateMs.min, lateMs.max);
      words.push({ event, name, atMs });
      if (random.next() < repeated)
        words.push({ event, name: 'again', atMs: atMs + random.between(lateMs.min, lateMs.max) });
    }
  };
  const post = async (batch: readonly Word[]): Promise<boolean> => {
    const status = await hook.post(
      random.pick(ports),
      batch.map(({ event }) => event),
    );
    if (status !== 200) return false;
    for (const { name } of batch) said.set(name, (said.get(name) ?? 0) + 1);
    return true;
  };
  const run = async (): Promise<void> => {
    while (!stopping || words.length > 0 || seen < double.messages().length) {
      const mails = double.messages();
      for (const mail of mails.slice(seen)) think(mail);
      seen = mails.length;
      const due = words.filter(({ atMs }) => stopping || atMs <= performance.now()).slice(0, eventsPerRequestMax);
      // In no order.
      const batch = due.toSorted(() => random.next() - 0.5);
      if (batch.length === 0) await delay(lookEveryMs);
      else if (await post(batch)) for (const word of batch) words.splice(words.indexOf(word), 1);
      else await delay(againMs);
    }
  };
  const running = run();
  let ended = false;
  running.then(
    () => (ended = true),
    () => {},
  );
  return {
    said: () => Object.fromEntries(said),
    stop: async () => {
      stopping = true;
      await waitUntil('SendGrid to have said everything', () => ended, {
        timeoutMs: stopMaxMs,
        describe: () => words.length,
      });
      await running;
    },
  };
};
