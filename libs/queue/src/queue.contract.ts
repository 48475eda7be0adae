import { randomUUID } from 'node:crypto';
import type { Transaction } from '@tocsin/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LostClaimError } from './queue-errors.ts';
import type { Queue, QueueCallbacks, QueueJob } from './queue.ts';
import { type TestPayloads, testCallbacks, type Unreadable } from './test-payloads.fixture.ts';

/** A queue under test and the means to move what surrounds it. Made anew, and empty, for each test. */
export interface QueueHarness {
  readonly queue: Queue<TestPayloads>;
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>;
  /** Lets time pass: what was due in so many seconds is due so much earlier. */
  advanceSeconds(seconds: number): Promise<void>;
  /** ISO instant so many seconds from the queue's present. */
  instantIn(seconds: number): Promise<string>;
  /** As if every process that holds a job had been killed and its claims had run out. */
  loseClaims(): Promise<void>;
  /** Puts a job into `signals` that the parser refuses. */
  addUnreadable(data: unknown): Promise<void>;
  close(): Promise<void>;
}

/** What every queue promises, in Postgres and in memory alike. */
export function describeQueueContract(
  name: string,
  makeHarness: (callbacks: QueueCallbacks<TestPayloads>) => Promise<QueueHarness>,
): void {
  describe(`the queue contract: ${name}`, () => {
    let harness: QueueHarness;
    let queue: Queue<TestPayloads>;
    let errors: unknown[];
    let unreadable: Unreadable[];
    let refuseUnreadable: boolean;

    beforeEach(async () => {
      errors = [];
      unreadable = [];
      refuseUnreadable = false;
      harness = await makeHarness(testCallbacks(errors, unreadable, () => refuseUnreadable));
      queue = harness.queue;
    });
    afterEach(() => harness.close());

    const add = (...texts: readonly string[]): Promise<void> =>
      harness.transaction((tx) =>
        queue.enqueue(
          tx,
          texts.map((text) => ({ queue: 'signals', data: { text } })),
        ),
      );
    const seen: QueueJob<{ text: string }>[] = [];
    beforeEach(() => void (seen.length = 0));
    const note = async (jobs: readonly QueueJob<{ text: string }>[]): Promise<void> => void seen.push(...jobs);
    const drain = (handler: typeof note, batchSize = 10): Promise<number> =>
      queue.drain('signals', handler, { jobsMax: 100, batchSize });
    const texts = (): readonly string[] => seen.map((job) => job.data.text).toSorted();

    it('hands out a job that was added in a committed transaction, once', async () => {
      await add('one', 'two');
      expect(await drain(note)).toBe(2);
      expect(texts()).toEqual(['one', 'two']);
      expect(seen.map((job) => [job.queue, job.attempt])).toEqual([
        ['signals', 0],
        ['signals', 0],
      ]);
      expect(await drain(note)).toBe(0);
    });

    it('shows a job to nobody before its transaction commits', async () => {
      await harness.transaction(async (tx) => {
        await queue.enqueue(tx, [{ queue: 'signals', data: { text: 'early' } }]);
        expect(await drain(note)).toBe(0);
      });
      expect(await drain(note)).toBe(1);
    });

    it('forgets a job whose transaction was rolled back', async () => {
      const failure = harness.transaction(async (tx) => {
        await queue.enqueue(tx, [{ queue: 'signals', data: { text: 'gone' } }]);
        throw new Error('no commit');
      });
      await expect(failure).rejects.toThrow('no commit');
      expect(await drain(note)).toBe(0);
    });

    it('keeps the jobs of different queues apart', async () => {
      await harness.transaction((tx) =>
        queue.enqueue(tx, [
          { queue: 'signals', data: { text: 'a signal' } },
          { queue: 'timers', data: { timer: 'a timer' } },
        ]),
      );
      const timers: unknown[] = [];
      const count = await queue.drain('timers', async (jobs) => void timers.push(...jobs), { jobsMax: 10 });
      expect(count).toBe(1);
      expect(timers).toMatchObject([{ queue: 'timers', data: { timer: 'a timer' } }]);
    });

    it('holds a deferred job back until its time', async () => {
      const startAfter = await harness.instantIn(900);
      await harness.transaction((tx) => queue.enqueue(tx, [{ queue: 'signals', data: { text: 'later' }, startAfter }]));
      await harness.advanceSeconds(890);
      expect(await drain(note)).toBe(0);
      await harness.advanceSeconds(10);
      expect(await drain(note)).toBe(1);
    });

    it('drops a job whose id is already known, before and after it is done', async () => {
      const id = randomUUID();
      const addOnce = (): Promise<void> =>
        harness.transaction((tx) =>
          queue.enqueue(tx, [
            { queue: 'signals', data: { text: 'first' }, id },
            { queue: 'signals', data: { text: 'same call' }, id },
          ]),
        );
      await addOnce();
      await addOnce();
      expect(await drain(note)).toBe(1);
      await addOnce();
      expect(await drain(note)).toBe(0);
      expect(seen.map((job) => job.id)).toEqual([id]);
    });

    it('gives a job whose handler threw back after a pause, as the next attempt with the same data', async () => {
      await add('stubborn');
      await drain(() => Promise.reject(new Error('database away')));
      expect(errors).toMatchObject([{ message: 'database away' }]);
      expect(await drain(note)).toBe(0);
      expect(await queue.depth()).toMatchObject({ signals: { ready: 0, deferred: 1, active: 0 } });
      await harness.advanceSeconds(60);
      expect(await drain(note)).toBe(1);
      expect(seen).toMatchObject([{ attempt: 1, data: { text: 'stubborn' } }]);
    });

    it('never pauses longer than 60 s, however often a job has failed', async () => {
      await add('stubborn');
      for (let attempt = 0; attempt < 12; attempt += 1) {
        expect(await drain(() => Promise.reject(new Error(`attempt ${attempt}`)))).toBe(1);
        await harness.advanceSeconds(60);
      }
      expect(await drain(note)).toBe(1);
      expect(seen).toMatchObject([{ attempt: 12 }]);
    });

    it('does not let one bad job hold back those it was handed out with', async () => {
      await add('good', 'bad', 'fine');
      const handler = async (jobs: readonly QueueJob<{ text: string }>[]): Promise<void> => {
        if (jobs.some((job) => job.data.text === 'bad')) throw new Error('bad signal');
        await note(jobs);
      };
      await drain(handler);
      expect(texts()).toEqual([]);
      await harness.advanceSeconds(60);
      await drain(handler);
      expect(texts()).toEqual(['fine', 'good']);
      expect(await queue.depth()).toMatchObject({ signals: { deferred: 1 } });
    });

    it('completes jobs together with what else the transaction does', async () => {
      await add('one', 'two');
      await drain((jobs) =>
        harness.transaction(async (tx) => {
          await queue.enqueue(tx, [{ queue: 'timers', data: { timer: 'follows' } }]);
          await queue.completeInTransaction(tx, jobs);
        }),
      );
      expect(errors).toEqual([]);
      expect(await queue.depth()).toMatchObject({
        signals: { ready: 0, deferred: 0, active: 0 },
        timers: { ready: 1 },
      });
    });

    it('takes the completion back when the transaction is rolled back, and tries again', async () => {
      await add('one');
      await drain((jobs) =>
        harness.transaction(async (tx) => {
          await queue.enqueue(tx, [{ queue: 'timers', data: { timer: 'must not follow' } }]);
          await queue.completeInTransaction(tx, jobs);
          throw new Error('failed after completing');
        }),
      );
      expect(await queue.depth()).toMatchObject({ signals: { deferred: 1 }, timers: { ready: 0 } });
      await harness.advanceSeconds(60);
      expect(await drain(note)).toBe(1);
    });

    it('does not run a job again when its handler throws after the commit that completed it', async () => {
      await add('one');
      await drain(async (jobs) => {
        await harness.transaction((tx) => queue.completeInTransaction(tx, jobs));
        throw new Error('too late to matter');
      });
      await harness.advanceSeconds(60);
      expect(await drain(note)).toBe(0);
    });

    it('refuses the effects of an attempt that has lost its job to a newer one', async () => {
      await add('contested');
      await drain(async (jobs) => {
        await harness.loseClaims();
        expect(await drain(async (newer) => harness.transaction((tx) => queue.completeInTransaction(tx, newer)))).toBe(
          1,
        );
        await harness.transaction(async (tx) => {
          await queue.enqueue(tx, [{ queue: 'timers', data: { timer: 'of the stale attempt' } }]);
          await queue.completeInTransaction(tx, jobs);
        });
      });
      expect(errors).toHaveLength(1);
      expect(errors[0]).toBeInstanceOf(LostClaimError);
      expect(await queue.depth()).toMatchObject({
        signals: { ready: 0, deferred: 0, active: 0 },
        timers: { ready: 0 },
      });
    });

    it('refuses to complete for a stale attempt even while the newer one is still at work', async () => {
      await add('contested');
      await drain(async (jobs) => {
        await harness.loseClaims();
        await drain(async (newer) => {
          expect(newer).toMatchObject([{ attempt: 1 }]);
          await expect(harness.transaction((tx) => queue.completeInTransaction(tx, jobs))).rejects.toThrow(
            LostClaimError,
          );
          await harness.transaction((tx) => queue.completeInTransaction(tx, newer));
        });
      });
      expect(errors).toEqual([]);
    });

    it('completes none of a batch when one of its jobs is lost', async () => {
      await add('one', 'two');
      await drain(async (jobs) => {
        const [first] = jobs;
        await harness.transaction((tx) => queue.completeInTransaction(tx, first === undefined ? [] : [first]));
        await harness.transaction((tx) => queue.completeInTransaction(tx, jobs));
      });
      expect(errors[0]).toBeInstanceOf(LostClaimError);
      expect(await queue.depth()).toMatchObject({ signals: { deferred: 1, active: 0 } });
    });

    it('moves an unreadable job to the dead letters and hands out the rest', async () => {
      await harness.addUnreadable({ nothing: 'we know' });
      await add('readable');
      await drain(note);
      expect(texts()).toEqual(['readable']);
      expect(unreadable).toMatchObject([{ job: { queue: 'signals', data: { nothing: 'we know' } } }]);
      expect(unreadable[0]?.reason).toContain('text');
      expect(await queue.depth()).toMatchObject({
        signals: { ready: 0, deferred: 0, active: 0, failed: 1 },
        'dead-letters': { ready: 1 },
      });
    });

    it('keeps an unreadable job until it could be reported', async () => {
      refuseUnreadable = true;
      await harness.addUnreadable({ nothing: 'we know' });
      await drain(note);
      expect(await queue.depth()).toMatchObject({ signals: { deferred: 1 }, 'dead-letters': { ready: 0 } });
    });

    it('stops draining at the bound it was given', async () => {
      await add('one', 'two', 'three');
      expect(await queue.drain('signals', note, { jobsMax: 2, batchSize: 5 })).toBe(2);
      expect(await queue.depth()).toMatchObject({ signals: { ready: 1 } });
    });

    it('hands out the oldest job first', async () => {
      await add('first');
      await add('second');
      await queue.drain('signals', note, { jobsMax: 1 });
      expect(texts()).toEqual(['first']);
    });

    it('counts what is ready, deferred and at work', async () => {
      const startAfter = await harness.instantIn(60);
      await add('one');
      await harness.transaction((tx) => queue.enqueue(tx, [{ queue: 'signals', data: { text: 'later' }, startAfter }]));
      await harness.advanceSeconds(30);
      const { signals } = await queue.depth();
      expect(signals).toMatchObject({ ready: 1, deferred: 1, active: 0, failed: 0 });
      expect(Math.round(signals.oldestReadySeconds ?? 0)).toBe(30);
      await drain(async () => expect(await queue.depth()).toMatchObject({ signals: { ready: 0, active: 1 } }));
      expect((await queue.depth()).signals.oldestReadySeconds).toBeNull();
    });

    it('keeps texts that Postgres cannot store by replacing what it cannot store', async () => {
      await add('zero \u0000, half an emoji \ud83d, and the text \\u0000');
      await drain(note);
      expect(texts()).toEqual(['zero \ufffd, half an emoji \ufffd, and the text \\u0000']);
    });

    it('refuses a start that does not name its time zone', async () => {
      const job = { queue: 'signals', data: { text: 'when?' }, startAfter: '2026-01-31T03:00:00' } as const;
      await expect(harness.transaction((tx) => queue.enqueue(tx, [job]))).rejects.toThrow('2026-01-31T03:00:00.000Z');
    });
  });
}
