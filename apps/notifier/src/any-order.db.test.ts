import { evolveAlert } from '@tocsin/alert-model';
import type { AlertEvent, AlertState, Signal } from '@tocsin/alert-model';
import { streamEvents } from '@tocsin/event-store';
import { createTestDatabase } from '@tocsin/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { failure, openWorld, route, success } from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const worlds: NotifierWorld[] = [];

beforeAll(async () => {
  const policy = { routes: [route({ windowMs: 60_000 })] };
  worlds.push(await openWorld(database, policy), await openWorld(database, policy));
});
afterAll(async () => {
  for (const world of worlds) await world.close();
});

/** One thing that happened to one of three targets, at a minute of its own. */
const happening = fc.record({ target: fc.constantFrom('albums', 'songs', 'artists'), failed: fc.boolean() });

/** A history, and how it reaches us: in which order, how often, in which batches, through which notifier. */
const history = fc.array(happening, { minLength: 1, maxLength: 12 }).chain((happenings) =>
  fc.record({
    happenings: fc.constant(happenings),
    arrivals: fc
      .shuffledSubarray(
        happenings.flatMap((_, index) => [index, index]),
        { minLength: happenings.length * 2 },
      )
      .map((order) => order),
    batch: fc.integer({ min: 1, max: 5 }),
    runs: fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }),
  }),
);

const minute = (index: number): string => new Date(Date.UTC(2026, 2, 2, 3, index)).toISOString();

test('any order, duplication and interleaving of the same signals over two notifiers ends in the same states and the same told set', async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(history, async ({ happenings, arrivals, batch, runs }) => {
      number += 1;
      const source = `source-${number}`;
      const signals = happenings.map(({ target, failed }, index): Signal =>
        failed
          ? failure({ source, targetId: target, failedAt: minute(index) })
          : success({ source, targetId: target, finishedAt: minute(index) }),
      );
      const before = worlds.map((world) => world.sent.length);
      for (let from = 0, turn = 0; from < arrivals.length; from += batch, turn += 1) {
        const world = worlds[turn % 2] as NotifierWorld;
        await world.signal(...arrivals.slice(from, from + batch).map((index) => signals[index]));
        if (runs[turn] === true) await Promise.all(worlds.map((each) => each.run()));
      }
      await Promise.all(worlds.map((each) => each.run()));
      for (const world of worlds) await world.advance(120_000);
      await Promise.all(worlds.map((each) => each.run()));

      const alerts = (await (worlds[0] as NotifierWorld).alerts()).filter((alert) => alert.source === source);
      expect(openTargets(alerts)).toEqual(expectedOpen(happenings));
      const failures = signals.filter((signal) => signal.signal === 'FailureDetected');
      expect(alerts.reduce((sum, alert) => sum + alert.occurrences, 0)).toBe(failures.length);
      for (const alert of alerts) {
        expect(alert.told.map(({ channel }) => channel)).toEqual(['email']);
        expect([alert.pending, alert.batches]).toEqual([{}, {}]);
      }
      // Told exactly once: what the messages say adds up to what happened.
      const messages = worlds.flatMap((world, index) =>
        world.sent.slice(before[index]).map(({ outgoing }) => outgoing.message),
      );
      const told = messages.flatMap(({ items }) => items).filter((item) => item.source === source);
      expect(told.filter(({ kind }) => kind !== 'resolved').reduce((sum, item) => sum + item.failures, 0)).toBe(
        failures.length,
      );
      for (const alert of alerts) expect(await refold(alert)).toEqual(alert);
    }),
    { numRuns: 40 },
  );
}, 120_000);

const openTargets = (alerts: readonly AlertState[]): readonly string[] =>
  alerts
    .filter((alert) => alert.state !== 'resolved')
    .map((alert) => alert.targetId ?? '')
    .toSorted();

/** A target is open when its last failure has no success after it. */
const expectedOpen = (
  happenings: readonly { readonly target: string; readonly failed: boolean }[],
): readonly string[] =>
  [...new Set(happenings.map(({ target }) => target))]
    .filter((target) => happenings.findLast((happening) => happening.target === target)?.failed)
    .toSorted();

const refold = async (alert: AlertState): Promise<AlertState | null> => {
  const stored = await streamEvents(database.pool, `alert-${alert.id}`);
  return stored.reduce<AlertState | null>((state, { event }) => evolveAlert(state, event as AlertEvent), null);
};
