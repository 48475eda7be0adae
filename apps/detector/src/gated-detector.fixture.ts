import type { Pool } from '@tocsin/runtime';
import type { Detector, PollReport } from './detector.ts';

/** A poll that goes on statement by statement, when it is told to. */
export interface GatedDetector {
  readonly polling: () => boolean;
  /** Begins a poll and runs it up to its first statement on the watched table. */
  readonly begin: () => Promise<void>;
  /** Lets one statement run, and what follows it up to the next. */
  readonly proceed: () => Promise<void>;
  /** The report of the poll that has ended last. */
  readonly report: () => PollReport | null;
  /** Makes the detector's clock go forward. */
  readonly pass: (ms: number) => void;
}

/**
 * A detector whose statements on the watched database wait for `proceed`. What it does in Tocsin's own database runs
 * freely in between.
 *
 * @param make makes the detector on this pool, with this clock (monotonic milliseconds)
 */
export const createGatedDetector = (
  pool: Pool,
  make: (gated: Pool, monotonicMs: () => number) => Detector,
): GatedDetector => {
  const waiting: (() => void)[] = [];
  let changed = (): void => {};
  let polling = false;
  let nowMs = 0;
  let report: PollReport | null = null;

  const turn = async (): Promise<void> =>
    new Promise<void>((resolve) => {
      waiting.push(resolve);
      changed();
    });
  const gated: Pool = {
    ...pool,
    query: async (text, values) => {
      await turn();
      return pool.query(text, values);
    },
    connect: async () => {
      await turn();
      return pool.connect();
    },
  };
  const detector = make(gated, () => nowMs);

  const settle = async (): Promise<void> => {
    while (polling && waiting.length === 0)
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
  };
  return {
    polling: () => polling,
    begin: async () => {
      polling = true;
      void detector.pollOnce().then((done) => {
        report = done;
        polling = false;
        changed();
      });
      await settle();
    },
    proceed: async () => {
      waiting.shift()?.();
      await settle();
    },
    report: () => report,
    pass: (ms) => {
      nowMs += ms;
    },
  };
};
