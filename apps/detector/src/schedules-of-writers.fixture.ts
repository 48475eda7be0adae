import type { PooledClient } from '@tocsin/runtime';
import type { GatedDetector } from './gated-detector.fixture.ts';
import { endWriter, stepsOfWriter } from './schedule-writer.fixture.ts';
import type { Choices, RowVersion, ScheduleRows, WeightedStep } from './schedule-writer.fixture.ts';

/** What a schedule is made of. Which step a number means depends on what is possible when its turn comes. */
export interface Schedule {
  readonly writers: number;
  readonly detectors: number;
  readonly choices: readonly number[];
}

/** What schedules run in, one after the other. */
export interface ScheduleWorld {
  /** Writers' connections, as many as any schedule needs. */
  readonly clients: readonly PooledClient[];
  /** As many as any schedule needs. They live on from schedule to schedule, unless one restarts them. */
  readonly detectors: GatedDetector[];
  readonly newDetector: () => GatedDetector;
  /** Workers whose clocks are wrong by an hour, or coarse, as well. */
  readonly skewed: boolean;
  /** Whether the table is compared with what was announced, now and then and at the end. */
  readonly compares: boolean;
  /** Error texts of the failures told since it was last called; forgets them and the rows. */
  readonly takeTold: () => Promise<readonly string[]>;
  /** Rows and outcomes made so far, for their names. */
  rows: number;
  outcomes: number;
}

/** What came of a schedule. Outcomes go by the error text of the row that showed them. */
export interface ScheduleEnd {
  readonly steps: readonly string[];
  /** As often as they were told. */
  readonly told: readonly string[];
  /** Stood in the table, committed, at the end, or during the whole of a poll that had to see them. */
  readonly due: ReadonlySet<string>;
  /** Were ever committed; what came and went between two polls may be told or not. */
  readonly committed: ReadonlySet<string>;
}

/** How often a detector of these worlds compares, in milliseconds of its own clock. */
export const comparisonEveryMs = 60_000;

/**
 * Runs one schedule: transactions stay open over any number of steps of others, a poll stops before each of its
 * statements on the table. One step at a time, so that the same choices do the same again.
 */
export const runSchedule = async (world: ScheduleWorld, schedule: Schedule): Promise<ScheduleEnd> => {
  const rows: ScheduleRows = {
    committed: new Map(),
    ever: new Set(),
    writers: world.clients
      .slice(0, schedule.writers)
      .map((client) => ({ client, open: false, written: [], savepoint: null })),
  };
  const due = new Set<string>();
  const steps: string[] = [];
  const { choices, left } = choicesOf(schedule, world);
  const begun = new Map<
    GatedDetector,
    { readonly compares: boolean; readonly rows: ReadonlyMap<string, RowVersion> }
  >();

  /** Counts what a poll had to see once it has ended: what stood there from before its beginning until after its end. */
  const settle = (detector: GatedDetector): void => {
    const poll = begun.get(detector);
    if (detector.polling() || poll === undefined) return;
    begun.delete(detector);
    for (const { problem, more } of detector.report()?.tables ?? [])
      if (problem !== null || more) throw new Error(`A poll did not end as it should: ${problem ?? 'there is more'}`);
    for (const [id, version] of poll.rows)
      if (version.outcome !== null && rows.committed.get(id) === version && (version.byScan || poll.compares))
        due.add(version.outcome);
  };
  const beginPoll = async (detector: GatedDetector, compares: boolean): Promise<string> => {
    if (compares) detector.pass(comparisonEveryMs);
    begun.set(detector, { compares, rows: new Map(rows.committed) });
    await detector.begin();
    settle(detector);
    return compares ? 'polls and compares' : 'polls';
  };
  const goOn = async (detector: GatedDetector): Promise<string> => {
    await detector.proceed();
    settle(detector);
    return detector.polling() ? 'reads' : 'is done';
  };
  const stepsOfDetector = (n: number): readonly WeightedStep[] => {
    const detector = detectorOf(world, n);
    if (detector.polling()) return [[6, () => goOn(detector)]];
    const restart = async (): Promise<string> => {
      world.detectors[n] = world.newDetector();
      return 'restarts';
    };
    return [
      [12, () => beginPoll(detector, false)],
      ...(world.compares ? [[3, () => beginPoll(detector, true)] as const] : []),
      [1, restart],
    ];
  };

  const ids = world.detectors.slice(0, schedule.detectors).keys().toArray();
  while (left() > 0) {
    const who = choices.pick([
      ...rows.writers.map((writer, n) => ({ name: `writer ${n}`, steps: () => stepsOfWriter(rows, writer, choices) })),
      ...ids.map((n) => ({ name: `detector ${n}`, steps: () => stepsOfDetector(n) })),
    ]);
    const [, step] = choices.pick(who.steps().flatMap((one) => Array.from({ length: one[0] }, () => one)));
    steps.push(`${who.name} ${await step()}`);
  }
  for (const [n, writer] of rows.writers.entries()) steps.push(`writer ${n} ${await endWriter(rows, writer, choices)}`);
  for (const n of ids) {
    const detector = detectorOf(world, n);
    while (detector.polling()) await goOn(detector);
    steps.push(`detector ${n} ${await beginPoll(detector, world.compares)}`);
    while (detector.polling()) await goOn(detector);
  }
  return { steps, told: await world.takeTold(), due, committed: rows.ever };
};

const choicesOf = (
  { choices: numbers }: Schedule,
  world: ScheduleWorld,
): { readonly choices: Choices; readonly left: () => number } => {
  let used = 0;
  const draw = (): number => {
    used += 1;
    return numbers[used - 1] ?? 0;
  };
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[draw() % items.length];
    if (item === undefined) throw new Error('There is nothing to choose from.');
    return item;
  };
  const nextRow = (): number => {
    world.rows += 1;
    return world.rows;
  };
  const nextOutcome = (): string => {
    world.outcomes += 1;
    return `outcome ${world.outcomes}`;
  };
  return { choices: { draw, pick, nextRow, nextOutcome, skewed: world.skewed }, left: () => numbers.length - used };
};

const detectorOf = (world: ScheduleWorld, n: number): GatedDetector => {
  const detector = world.detectors[n];
  if (detector === undefined) throw new Error(`There is no detector ${n}.`);
  return detector;
};
