import { randomUUID } from 'node:crypto';
import { evolveAlert } from '@tocsin/alert-model';
import type { AlertEvent, AlertState, EndCause, Rule, Signal } from '@tocsin/alert-model';
import { addSilence, endSilence } from '@tocsin/alert-service';
import { streamEvents } from '@tocsin/event-store';
import { createTestDatabase } from '@tocsin/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  condition,
  ended,
  failure,
  openWorld,
  repaired,
  route,
  success,
  writeAsDetector,
} from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const worlds: NotifierWorld[] = [];

/** Failures of this target are told from the second in a row on. */
const counted = 'artists';
const targets = ['albums', 'songs', counted] as const;
const rules: readonly Rule[] = [
  { name: 'rules[0]', match: { targetId: [counted] }, threshold: { kind: 'in-a-row', failures: 2 } },
];

beforeAll(async () => {
  const policy = { rules, routes: [route({ windowMs: 60_000 })] };
  worlds.push(await openWorld(database, policy), await openWorld(database, policy));
});
afterAll(async () => {
  for (const world of worlds) await world.close();
});

interface Ended {
  readonly target: (typeof targets)[number];
  readonly what: 'failed' | 'succeeded';
}
interface Stuck {
  readonly target: (typeof targets)[number];
  readonly what: 'stuck';
  /** Whole minutes until it ends, and some seconds; null: it never does. */
  readonly lasts: number | null;
  readonly cause: EndCause;
  readonly repaired: boolean;
}
/** One thing that happened to one target, at a minute of its own. */
type Happening = Ended | Stuck;

const ending = (...of: readonly (typeof targets)[number][]): fc.Arbitrary<Ended> =>
  fc.record({ target: fc.constantFrom(...of), what: fc.constantFrom('failed', 'succeeded') });
const stuck = (of: readonly (typeof targets)[number][], causes: readonly EndCause[]): fc.Arbitrary<Stuck> =>
  fc.record({
    target: fc.constantFrom(...of),
    what: fc.constant('stuck' as const),
    lasts: fc.option(fc.integer({ min: 0, max: 6 }), { nil: null }),
    cause: fc.constantFrom(...causes),
    repaired: fc.boolean(),
  });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 3, arbitrary: ending(...targets) },
  { weight: 2, arbitrary: stuck(['albums', 'songs'], ['alive', 'succeeded', 'canceled', 'vanished', 'ended']) },
  // Where a condition ends badly and a failure below its threshold comes in between, the order decides whether that one
  // failure is told or set aside; it is on record either way.
  { weight: 1, arbitrary: stuck([counted], ['alive', 'succeeded', 'canceled', 'vanished']) },
);

const hourMs = 3_600_000;
const minute = (index: number, seconds = 0): string => new Date(Date.UTC(2026, 2, 2, 3, index, seconds)).toISOString();

/** What a detector sends about it all, in the order of time. */
const signalsOf = (source: string, happenings: readonly Happening[]): readonly Signal[] => {
  const lastSuccessAt = (target: string, before: number): string | null => {
    const last = happenings.findLastIndex(
      (one, at) => at < before && one.target === target && one.what === 'succeeded',
    );
    return last === -1 ? null : minute(last);
  };
  return happenings.flatMap((one, index): Signal[] => {
    const about = { source, targetId: one.target };
    const history = { lastSuccessAt: lastSuccessAt(one.target, index), successes: 0 };
    if (one.what !== 'stuck')
      return one.what === 'succeeded'
        ? [success({ ...about, finishedAt: minute(index) })]
        : [failure({ ...about, failedAt: minute(index), history })];
    const begun = condition({ ...about, failedAt: minute(index) });
    return [
      begun,
      ...(one.repaired ? [repaired(begun, { actedAt: minute(index, 15) })] : []),
      ...(one.lasts === null
        ? []
        : [ended(begun, { cause: one.cause, endedAt: minute(index + one.lasts, 30 + index) })]),
    ];
  });
};

/** A history, and how it reaches us: in which order, how often, in which batches, through which notifier. */
const happenings: fc.Arbitrary<readonly Happening[]> = fc.oneof(
  fc.array(happening, { minLength: 1, maxLength: 12 }),
  fc.array(ending(counted), { minLength: 3, maxLength: 7 }),
);
const history = happenings.chain((happened) => {
  const count = signalsOf('counted', happened).length;
  const twice = Array.from({ length: 2 * count }, (_, index) => index % count);
  return fc.record({
    happenings: fc.constant(happened),
    arrivals: fc.shuffledSubarray(twice, { minLength: twice.length }),
    batch: fc.integer({ min: 1, max: 7 }),
    runs: fc.array(fc.boolean(), { minLength: twice.length, maxLength: twice.length }),
  });
});

test('any order, duplication and interleaving of the same signals over two notifiers ends in the same states and the same told set', async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(history, async ({ happenings: happened, arrivals, batch, runs }) => {
      number += 1;
      const [source, inOrder] = [`source-${number}`, `in-order-${number}`];
      const signals = signalsOf(source, happened);
      const before = worlds.map((world) => world.sent.length);
      // A detector writes down what it sends before anybody receives it. Where failures are counted, it has written
      // down everything by then: whether a condition still held when a job failed, nobody else can know.
      await write(signals.filter((signal) => targetOf(signals, signal) === counted));
      for (let from = 0, turn = 0; from < arrivals.length; from += batch, turn += 1) {
        const world = worlds[turn % 2] as NotifierWorld;
        const batchOf = arrivals.slice(from, from + batch).map((index) => signals[index] as Signal);
        await write(
          signals.filter((signal) =>
            batchOf.some((one) => one.outcomeId === signal.outcomeId && isNotLater(signal, one)),
          ),
        );
        await world.signal(...batchOf);
        if (runs[turn] === true) await Promise.all(worlds.map((each) => each.run()));
      }
      // The same once, and in the order of time.
      const reference = signalsOf(inOrder, happened);
      await write(reference);
      await (worlds[0] as NotifierWorld).signal(...reference);
      await Promise.all(worlds.map((each) => each.run()));
      for (const world of worlds) await world.advance(120_000);
      await Promise.all(worlds.map((each) => each.run()));

      const alerts = await alertsOf(source);
      const expected = await alertsOf(inOrder);
      expect(openTargets(alerts)).toEqual(openTargets(expected));
      expect(toldTargets(alerts)).toEqual(toldTargets(expected));
      for (const alert of alerts) {
        expect(alert.told.map(({ channel }) => channel)).toEqual(['email']);
        expect([alert.pending, alert.batches]).toEqual([{}, {}]);
        expect(await refold(alert)).toEqual(alert);
      }
      for (const target of targets.filter((one) => one !== counted)) {
        const own = happened.filter((one) => one.target === target);
        expect(openTargets(alerts).includes(target)).toBe(isOwed(own, happened));
      }

      // Nothing is lost: each failure is in one alert or, where failures are counted, set aside.
      const failures = signals.filter((signal) => signal.signal === 'FailureDetected');
      const recorded = await outcomesIn('recorded', failures);
      const setAside = [...(await outcomesIn('held', failures)), ...(await outcomesIn('ignored', failures))];
      expect(recorded.length + setAside.length).toBe(failures.length);
      const mayWait = failures.filter(({ targetId, kind }) => targetId === counted && kind === 'failed');
      expect(mayWait.map(({ outcomeId }) => outcomeId)).toEqual(expect.arrayContaining(setAside));
      expect(alerts.reduce((sum, alert) => sum + alert.occurrences, 0)).toBe(recorded.length);
      // What is told in the order of time is told in any order.
      const positions = (of: readonly Signal[], ids: readonly string[]) =>
        of.flatMap((signal, index) =>
          signal.signal === 'FailureDetected' && ids.includes(signal.outcomeId) ? [index] : [],
        );
      const expectedIds = await outcomesIn(
        'recorded',
        reference.filter((signal) => signal.signal === 'FailureDetected'),
      );
      expect(positions(signals, recorded)).toEqual(expect.arrayContaining(positions(reference, expectedIds)));

      // Told exactly once: what the messages say adds up to what happened.
      const messages = worlds.flatMap((world, index) =>
        world.sent.slice(before[index]).map(({ outgoing }) => outgoing.message),
      );
      const told = messages.flatMap(({ items }) => items).filter((item) => item.source === source);
      expect(told.filter(({ kind }) => kind !== 'resolved').reduce((sum, item) => sum + item.failures, 0)).toBe(
        recorded.length,
      );
      const requeued = told.flatMap(({ developments }) => developments ?? []).filter(({ what }) => what === 'requeued');
      expect(new Set(requeued.map(({ jobId }) => jobId)).size).toBe(requeued.length);
    }),
    { numRuns: 40 },
  );
}, 180_000);

/** Between two deliveries somebody mutes or unmutes a target, time goes by, or the notifiers do what is due. */
const act = fc.constantFrom('nothing', 'silence', 'end', 'run', 'window', 'hold');
type Act = 'nothing' | 'silence' | 'end' | 'run' | 'window' | 'hold';
const muted = 'songs';
const mutedHistory = fc.array(ending('albums', muted), { minLength: 2, maxLength: 14 }).chain((happened) => {
  const twice = Array.from({ length: 2 * happened.length }, (_, index) => index % happened.length);
  return fc.record({
    happenings: fc.constant<readonly Happening[]>(happened),
    arrivals: fc.shuffledSubarray(twice, { minLength: twice.length }),
    batch: fc.integer({ min: 1, max: 4 }),
    acts: fc.array(act, { minLength: twice.length, maxLength: twice.length }),
  });
});

test('so does it with silences that come and go and keys that flap: nothing is lost, and nothing stays muted', async () => {
  const clock = { offsetMs: 0 };
  const policy = {
    routes: [route({ windowMs: 60_000 })],
    // The histories are of last spring.
    flapping: { times: 2, withinMs: 3_650 * 86_400_000, holdMs: hourMs },
  };
  const pair = [await openWorld(database, policy, {}, clock), await openWorld(database, policy, {}, clock)] as const;
  const runBoth = async (): Promise<void> => {
    await Promise.all(pair.map((world) => world.run()));
  };
  const pass = async (ms: number): Promise<void> => {
    // The clock is shared, so one of them moves it.
    await pair[0].advance(ms);
    await runBoth();
  };
  let number = 0;
  let flapped = 0;
  let silenced = 0;
  try {
    await fc.assert(
      fc.asyncProperty(mutedHistory, async ({ happenings: happened, arrivals, batch, acts }) => {
        number += 1;
        const source = `muted-${number}`;
        const signals = signalsOf(source, happened);
        const before = pair.map((world) => world.sent.length);
        const added: string[] = [];
        const carryOut: Readonly<Record<Act, (world: NotifierWorld) => Promise<unknown>>> = {
          nothing: async () => {},
          run: runBoth,
          window: () => pass(61_000),
          hold: () => pass(hourMs + 1_000),
          silence: async ({ service }) => {
            const match = { source: [source], targetId: [muted] };
            const end = { until: 'span', ms: 100 * hourMs } as const;
            const result = await addSilence(service, { match, by: 'somebody', reason: null, end, startsAt: null });
            if (result.done) added.push(result.silence.id);
          },
          end: async ({ service }) => endSilence(service, added.shift() ?? randomUUID(), 'somebody'),
        };
        for (let from = 0, turn = 0; from < arrivals.length; from += batch, turn += 1) {
          const world = pair[turn % 2] ?? pair[0];
          await world.signal(...arrivals.slice(from, from + batch).map((index) => signals[index] as Signal));
          await carryOut[acts[turn] ?? 'nothing'](world);
        }
        await runBoth();
        for (const id of added) await endSilence(pair[0].service, id, 'somebody');
        // A hold may begin with the end of another, and what it leads to waits for a window.
        for (let turn = 0; turn < 3; turn += 1) await pass(hourMs + 1_000);
        await pass(61_000);

        const alerts = await alertsOf(source);
        for (const target of ['albums', muted])
          expect(openTargets(alerts).includes(target)).toBe(
            isOwed(
              happened.filter((one) => one.target === target),
              happened,
            ),
          );
        const failures = signals.filter((signal) => signal.signal === 'FailureDetected');
        expect(await outcomesIn('recorded', failures)).toHaveLength(failures.length);
        expect(alerts.reduce((sum, alert) => sum + alert.occurrences, 0)).toBe(failures.length);
        const withEvents = await Promise.all(alerts.map(async (alert) => ({ alert, events: await eventsOf(alert) })));
        for (const { alert, events } of withEvents) {
          expect(events.reduce<AlertState | null>(evolveAlert, null)).toEqual(alert);
          expect([alert.pending, alert.batches]).toEqual([{}, {}]);
        }
        const wasSilenced = withEvents
          .filter(({ events }) => events.some(({ type }) => type === 'AlertSilenced'))
          .map(({ alert }) => alert);
        const stillOpen = alerts.filter(({ state }) => state !== 'resolved');
        expect(stillOpen.filter((alert) => alert.flapping !== null || Object.keys(alert.silences).length > 0)).toEqual(
          [],
        );
        // Nobody hears only of what was over before its silence was.
        const untold = alerts.filter(({ told }) => told.length === 0);
        expect(untold.filter((alert) => alert.state !== 'resolved' || !wasSilenced.includes(alert))).toEqual([]);
        const told = alerts.filter((alert) => alert.state === 'resolved' && alert.told.length > 0);
        expect(told.map(({ resolutionToldTo }) => resolutionToldTo)).toEqual(told.map(() => ['default email']));
        flapped += alerts.filter(({ openedFlapping }) => openedFlapping !== null).length;
        silenced += wasSilenced.length;
        // Nothing is told twice.
        const items = pair
          .flatMap((world, index) => world.sent.slice(before[index]))
          .flatMap(({ outgoing }) => outgoing.message.items)
          .filter((item) => item.source === source && item.kind !== 'resolved');
        expect(items.reduce((sum, item) => sum + item.failures, 0)).toBeLessThanOrEqual(failures.length);
      }),
      { numRuns: 40 },
    );
  } finally {
    for (const world of pair) await world.close();
  }
  // Otherwise this would have shown nothing.
  expect(flapped).toBeGreaterThan(0);
  expect(silenced).toBeGreaterThan(0);
}, 240_000);

const write = (signals: readonly Signal[]): Promise<void> =>
  writeAsDetector((worlds[0] as NotifierWorld).service.store, signals);

const rank: Readonly<Record<Signal['signal'], number>> = {
  FailureDetected: 0,
  SuccessDetected: 0,
  JobRepaired: 1,
  ConditionEnded: 2,
};
const isNotLater = (signal: Signal, than: Signal): boolean => rank[signal.signal] <= rank[than.signal];

const targetOf = (signals: readonly Signal[], { outcomeId }: Signal): string | null => {
  const begun = signals.find((signal) => signal.outcomeId === outcomeId);
  return begun !== undefined && 'targetId' in begun ? begun.targetId : null;
};

const alertsOf = async (source: string): Promise<readonly AlertState[]> => {
  const { rows } = await database.pool.query<{ readonly data: AlertState }>(
    'select data from tocsin.alerts where source = $1 order by opened_at, key',
    [source],
  );
  return rows.map(({ data }) => data);
};

const toldTargets = (alerts: readonly AlertState[]): readonly string[] =>
  [...new Set(alerts.filter((alert) => alert.told.length > 0).map(({ targetId }) => targetId ?? ''))].toSorted();

const openTargets = (alerts: readonly AlertState[]): readonly string[] =>
  alerts
    .filter((alert) => alert.state !== 'resolved')
    .map((alert) => alert.targetId ?? '')
    .toSorted();

/** Without a threshold a target is open while a condition holds, or when what ended badly has no success after it. */
const isOwed = (own: readonly Happening[], all: readonly Happening[]): boolean =>
  own.some((one) => one.what === 'stuck' && one.lasts === null) ||
  own.some(
    (one) =>
      (one.what === 'failed' || (one.what === 'stuck' && one.cause === 'ended')) &&
      !own.some((later) => later.what === 'succeeded' && all.indexOf(later) > all.indexOf(one)),
  );

const outcomesIn = async (
  disposition: string,
  failures: readonly { readonly outcomeId: string }[],
): Promise<readonly string[]> => {
  const { rows } = await database.pool.query<{ readonly id: string }>(
    'select id from tocsin.outcomes where disposition = $1 and id = any($2::uuid[])',
    [disposition, failures.map(({ outcomeId }) => outcomeId)],
  );
  return rows.map(({ id }) => id);
};

const eventsOf = async (alert: AlertState): Promise<readonly AlertEvent[]> =>
  (await streamEvents(database.pool, `alert-${alert.id}`)).map(({ event }) => event as AlertEvent);

const refold = async (alert: AlertState): Promise<AlertState | null> =>
  (await eventsOf(alert)).reduce<AlertState | null>(evolveAlert, null);
