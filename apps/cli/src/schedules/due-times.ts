import { formatDuration, nextDue } from '@tocsin/runtime';
import type { ScheduleConfig } from '@tocsin/runtime';

/** Due times given of each schedule. */
const timesMax = 2;

/** When a schedule is due next. */
export interface DueTimes {
  readonly name: string;
  readonly table: string;
  /** What must succeed: `chain apple/catalog`, `apple/refresh_catalog/songs`. */
  readonly work: string;
  /** `0 3 * * MON in America/New_York`, `every 14 d`. */
  readonly due: string;
  readonly graceMs: number;
  /** The next times, UTC and as clocks of its zone show them; empty for `every`, which counts from the last success. */
  readonly next: readonly { readonly at: string; readonly local: string }[];
}

/** @param now as the machine's clock has it */
export const dueTimes = (schedule: ScheduleConfig, now: Date): DueTimes => {
  const { name, table, source, chain, jobType, targetId, cron, everyMs, timeZone, graceMs } = schedule;
  return {
    name,
    table,
    work:
      chain === undefined
        ? [source, jobType, targetId].filter((part) => part !== undefined).join('/')
        : `chain ${source}/${chain}`,
    due: cron === undefined ? `every ${formatDuration(everyMs ?? 0)}` : `${cron} in ${timeZone}`,
    graceMs,
    next: cron === undefined ? [] : nextTimes(cron, timeZone, now),
  };
};

/** `catalog-weekly  chain apple/catalog, 0 3 * * MON in America/New_York, 2 h of grace` and the times below it. */
export const dueTimesLines = ({ name, work, due, graceMs, next }: DueTimes): readonly string[] => [
  `  ${name}: ${work}, ${due}, ${formatDuration(graceMs)} of grace`,
  ...(next.length === 0
    ? ['    due so long after its last success']
    : next.map(({ at, local }) => `    due ${local} (${at.slice(0, 16).replace('T', ' ')} UTC)`)),
];

const nextTimes = (cron: string, timeZone: string, now: Date): DueTimes['next'] => {
  const times: DueTimes['next'][number][] = [];
  for (let at = nextDue(cron, timeZone, now); at !== null && times.length < timesMax; at = nextDue(cron, timeZone, at))
    times.push({ at, local: `${localTime(at, timeZone)} ${timeZone}` });
  return times;
};

const localTime = (at: string, timeZone: string): string =>
  new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  }).format(new Date(at));
