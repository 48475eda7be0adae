import { sweep } from '@tocsin/alert-service';
import type { Rule } from '@tocsin/alert-model';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, expect, test } from 'vitest';
import { condition, ended, failure, openWorld, route, success } from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const at = (minute: number): string => new Date(Date.UTC(2026, 2, 2, 3, minute)).toISOString();
const inARow = (failures: number): Rule => ({
  name: 'rules[0]',
  match: { kind: ['failed'] },
  threshold: { kind: 'in-a-row', failures },
});

let world: NotifierWorld;
let sources = 0;
let source = '';

const open = async (...rules: readonly Rule[]): Promise<void> => {
  source = `source-${(sources += 1)}`;
  world = await openWorld(database, { rules, routes: [route({ windowMs: 0 })] });
};
afterEach(() => world.close());

/** A failure, and when the job had succeeded before it; null for never. */
const failed = (minute: number, lastSuccess: number | null = null, successes = 0) =>
  failure({
    source,
    failedAt: at(minute),
    history: { lastSuccessAt: lastSuccess === null ? null : at(lastSuccess), successes },
  });
const alerts = async () => (await world.alerts()).filter((alert) => alert.source === source);
const toldFailures = () =>
  world.sent.flatMap(({ outgoing }) => outgoing.message.items).reduce((sum, { failures }) => sum + failures, 0);
const dispositions = async (...signals: readonly { readonly outcomeId: string }[]) => {
  const { rows } = await database.pool.query<{ readonly id: string; readonly disposition: string }>(
    'select id, disposition from tocsin.outcomes where id = any($1::uuid[])',
    [signals.map(({ outcomeId }) => outcomeId)],
  );
  return signals.map(({ outcomeId }) => rows.find(({ id }) => id === outcomeId)?.disposition);
};
const heldCount = async (): Promise<number> =>
  (
    await database.pool.query<{ readonly count: number }>(
      'select count(*)::integer as count from tocsin.held_failures where signal ->> $1 = $2',
      ['source', source],
    )
  ).rows[0]?.count ?? 0;

test('failures below the threshold are on record and told to nobody; the one that reaches it brings them along', async () => {
  await open(inARow(3));
  const [one, two, three, four] = [failed(0), failed(1), failed(2), failed(3)] as const;
  await world.signal(one, two, one);
  await world.run();
  await world.signal(two);
  await world.run();
  expect(await alerts()).toEqual([]);
  expect(await dispositions(one, two)).toEqual(['held', 'held']);

  await world.signal(three);
  await world.run();
  expect(await alerts()).toMatchObject([{ state: 'notified', occurrences: 3, firstFailedAt: one.failedAt }]);
  expect(world.sent).toHaveLength(1);
  const jobs = world.sent[0]?.outgoing.message.items[0]?.causes[0]?.jobs ?? [];
  expect(jobs.flatMap(({ notes }) => notes)).toEqual(['3 failures in a row; rules[0] tells from the third.']);
  expect(await dispositions(one, two, three)).toEqual(['recorded', 'recorded', 'recorded']);
  expect(await heldCount()).toBe(0);

  await world.signal(four, three);
  await world.run();
  expect(await alerts()).toMatchObject([{ occurrences: 4 }]);
  expect(toldFailures()).toBe(4);
});

test('a success between two failures begins the count anew', async () => {
  await open(inARow(2));
  const [one, two, three] = [failed(0), failed(20, 10), failed(21, 10)] as const;
  await world.signal(one, two);
  await world.run();
  expect(await alerts()).toEqual([]);
  await world.signal(three);
  await world.run();
  expect(await alerts()).toMatchObject([{ occurrences: 2, firstFailedAt: two.failedAt }]);
  expect(await dispositions(one, two, three)).toEqual(['held', 'recorded', 'recorded']);
});

test('a failure that counts no more is let go once none of before it can still come', async () => {
  await open(inARow(2));
  const [one, two, three] = [failed(0), failed(10, 5), failed(100, 50)] as const;
  await world.signal(one);
  await world.run();
  await world.signal(two);
  await world.run();
  await world.signal(three);
  await world.run();
  expect(await dispositions(one, two, three)).toEqual(['ignored', 'ignored', 'held']);
  expect([await heldCount(), await alerts()]).toEqual([1, []]);
});

test('so many within a time, and a share of all that ended, are counted too', async () => {
  await open({ name: 'rules[0]', match: {}, threshold: { kind: 'count', failures: 2, withinMs: 600_000 } });
  await world.signal(failed(0), failed(20));
  await world.run();
  expect(await alerts()).toEqual([]);
  await world.signal(failed(25));
  await world.run();
  expect(await alerts()).toMatchObject([{ occurrences: 2, firstFailedAt: at(20) }]);
  await world.close();

  const threshold = { kind: 'ratio', over: 0.5, withinMs: 3_600_000, atLeast: 4 } as const;
  await open({ name: 'rules[0]', match: {}, threshold });
  await world.signal(failed(0, null, 0), failed(1, null, 0), failed(2, null, 0));
  await world.run();
  expect(await alerts()).toEqual([]);
  await world.signal(failed(3, null, 2));
  await world.run();
  expect(await alerts()).toMatchObject([{ occurrences: 4 }]);
});

test('a condition has no threshold; once its alert is open, what was held for its key is told in it', async () => {
  await open(inARow(3));
  const one = failed(0);
  await world.signal(one);
  await world.run();
  const stuck = condition({ source, failedAt: at(1) });
  await world.signal(stuck);
  await world.run();
  expect(await alerts()).toMatchObject([{ state: 'notified', occurrences: 2 }]);
  expect(await dispositions(one)).toEqual(['recorded']);
  await world.signal(ended(stuck, { endedAt: at(2) }));
  await world.run();
  expect((await alerts())[0]?.state).not.toBe('resolved');
  await world.signal(success({ source, finishedAt: at(3) }));
  await world.run();
  expect(await alerts()).toMatchObject([{ state: 'resolved' }]);
});

test('a failure after a success that was not heard of yet is counted anew, and does not keep the old alert open', async () => {
  await open(inARow(2));
  await world.signal(failed(0), failed(1));
  await world.run();
  const anew = failed(20, 10);
  await world.signal(anew);
  await world.run();
  expect(await dispositions(anew)).toEqual(['held']);
  await world.signal(success({ source, finishedAt: at(10) }));
  await world.run();
  expect(await alerts()).toMatchObject([{ state: 'resolved', occurrences: 2 }]);
});

test('a failure of before the recovery that comes after it is told, as it would have been in time', async () => {
  await open(inARow(2));
  await world.signal(failed(0), failed(1), success({ source, finishedAt: at(10) }));
  await world.run();
  const late = failed(2);
  await world.signal(late);
  await world.run();
  expect(await dispositions(late)).toEqual(['recorded']);
  expect((await alerts()).map(({ state }) => state)).toEqual(['resolved', 'resolved']);
});

// Found by the test of any order. In each of them every failure is one of at least two in a row.
test.each([
  {
    caption: 'the last of a run first, after its recovery',
    between: null,
    batches: [
      ['f2', 's3'],
      ['f1', 'f0'],
    ],
  },
  {
    caption: 'of an early run while that of a later one is open',
    between: 3,
    batches: [['f1'], ['f5'], ['f6'], ['f2']],
  },
  {
    caption: 'late ones of two runs at once',
    between: 2,
    batches: [
      ['f3', 'f5', 's7', 's2'],
      ['f4', 'f0', 'f1'],
    ],
  },
  {
    caption: 'of an early run after a later recovery',
    between: 2,
    batches: [['f1'], ['f3', 'f4', 's7'], ['f0', 's2']],
  },
])('no failure that reaches the threshold in time is left out: $caption', async ({ batches, between }) => {
  await open(inARow(2));
  for (const batch of batches) {
    const signals = batch.map((name) => {
      const when = Number(name.slice(1));
      if (name.startsWith('s')) return success({ source, finishedAt: at(when) });
      return failed(when, between !== null && when > between ? between : null);
    });
    await world.signal(...signals);
    await world.run();
  }
  const failures = batches.flat().filter((name) => name.startsWith('f'));
  expect((await alerts()).reduce((sum, { occurrences }) => sum + occurrences, 0)).toBe(failures.length);
  expect(await heldCount()).toBe(0);
});

test('what is held for too long is let go by the sweep, in bounded steps, and never told', async () => {
  await open(inARow(3));
  const one = failed(0);
  await world.signal(one);
  await world.run();
  expect((await sweep(world.service, 'test')).letGo).toBe(0);
  await database.pool.query(`update tocsin.held_failures set held_at = held_at - interval '15 days'`);
  expect((await sweep(world.service, 'test')).letGo).toBeGreaterThan(0);
  expect(await dispositions(one)).toEqual(['ignored']);
  expect(await heldCount()).toBe(0);
  await world.signal(failed(1), failed(2), one);
  await world.run();
  expect(await alerts()).toEqual([]);
});
