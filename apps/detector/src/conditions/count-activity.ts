import { addMs, compareInstants } from '@tocsin/alert-model';
import type { Instant } from '@tocsin/alert-model';
import { readActivity } from '@tocsin/job-sources';
import type { JobSource } from '@tocsin/job-sources';
import { z } from 'zod';
import type { DetectorContext } from '../detector-ports.ts';
import type { TableState } from '../table-state.ts';
import type { SeenCondition } from './condition.ts';
import { judgeVolume } from './judge-feed.ts';

const hourMs = 3_600_000;
/** Pause between two counts, in milliseconds: the first count of an hour comes at most so late. */
const countEveryMs = 300_000;
/** Days whose same hour is compared, and hours remembered for it. */
const daysBack = 7;
const hoursMax = (daysBack + 1) * 24 + 2;

/** The server's own counter of changes at the first count of each hour, by the hour's beginning. */
const Counters = z.object({ counters: z.record(z.string(), z.number()) });

export interface Activity {
  readonly condition: SeenCondition | null;
  /** An hour was compared in this look, so that an open condition may end. */
  readonly judged: boolean;
}

/**
 * Counts the changes of the watched table by the hour and compares each full hour with the same hour of past days. It
 * reads a counter that Postgres keeps anyway (pg_stat_user_tables), never the table. What was counted lies in the
 * cursor `activity/<table>`, written once an hour.
 */
export const countActivity = async (
  { store, monotonicMs }: DetectorContext,
  { conditions, table }: TableState,
  source: JobSource,
  readAt: Instant,
): Promise<Activity> => {
  const none = { condition: null, judged: false };
  if (monotonicMs() < conditions.activityDueMs) return none;
  conditions.activityDueMs = monotonicMs() + countEveryMs;
  const counter = await readActivity(table.pool, source);
  if (counter === null) return none;
  const name = `activity/${source.name}`;
  const hour = hourOf(readAt);
  const counters = await store.transaction('detector.activity', async (session) => {
    const known = Counters.safeParse((await session.loadCursor(name))?.data).data?.counters ?? {};
    if (Object.hasOwn(known, hour)) return null;
    const kept = Object.fromEntries(
      Object.entries({ ...known, [hour]: counter })
        .toSorted(([a], [b]) => compareInstants(a, b))
        .slice(-hoursMax),
    );
    await session.saveCursor(name, hour, { counters: kept });
    return kept;
  });
  if (counters === null) return none;
  const past = addMs(hour, -hourMs);
  const changes = changesIn(counters, past);
  if (changes === null) return none;
  const days = Array.from({ length: daysBack }, (_, day) => changesIn(counters, addMs(past, -(day + 1) * 24 * hourMs)));
  const known = days.filter((count) => count !== null);
  return { condition: judgeVolume(source.name, { hour: past, changes }, known), judged: true };
};

/** Changes between the first counts of an hour and of the next; null when one is missing or the counter was reset. */
const changesIn = (counters: Readonly<Record<string, number>>, hour: Instant): number | null => {
  const from = counters[hour];
  const to = counters[addMs(hour, hourMs)];
  return from === undefined || to === undefined || to < from ? null : to - from;
};

/** The beginning of the hour, UTC. */
export const hourOf = (at: Instant): Instant => new Date(Math.floor(Date.parse(at) / hourMs) * hourMs).toISOString();
