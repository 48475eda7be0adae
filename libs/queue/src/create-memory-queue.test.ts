import { describe, expect, it } from 'vitest';
import { createMemoryQueue } from './create-memory-queue.ts';
import { describeQueueContract } from './queue.contract.ts';
import { type TestPayloads, testCallbacks } from './test-payloads.fixture.ts';

const START = '2026-01-31T03:00:00.000Z';
const after = (seconds: number, from = START): string => new Date(Date.parse(from) + seconds * 1000).toISOString();

describeQueueContract('in memory', async (callbacks) => {
  const queue = createMemoryQueue({ ...callbacks, startAt: START });
  await queue.start();
  let now = START;
  return {
    queue,
    transaction: queue.transaction,
    advanceSeconds: async (seconds) => queue.advanceTo((now = after(seconds, now))),
    instantIn: async (seconds) => after(seconds, now),
    loseClaims: async () => queue.loseClaims(),
    addUnreadable: (data) => queue.transaction((tx) => queue.enqueue(tx, [{ queue: 'signals', data: data as never }])),
    close: () => queue.stop(),
  };
});

describe('the queue in memory', () => {
  it('runs what is due by the given moment, including what that adds', async () => {
    const queue = createMemoryQueue<TestPayloads>({ ...testCallbacks([], []), startAt: START });
    await queue.start();
    const fired: string[] = [];
    await queue.work('timers', { batchSize: 1, concurrency: 1 }, async (jobs) => {
      for (const job of jobs) {
        fired.push(job.data.timer);
        if (job.data.timer !== 'digest') continue;
        await queue.transaction((tx) =>
          queue.enqueue(tx, [{ queue: 'timers', data: { timer: 'next' }, startAfter: after(90) }]),
        );
      }
    });
    await queue.transaction((tx) =>
      queue.enqueue(tx, [{ queue: 'timers', data: { timer: 'digest' }, startAfter: after(60) }]),
    );
    expect(queue.nextDueAt()).toBe(after(60));
    expect(await queue.runDue(after(59))).toBe(0);
    expect(await queue.runDue(after(100))).toBe(2);
    expect(fired).toEqual(['digest', 'next']);
    expect(queue.nextDueAt()).toBeNull();
  });
});
