import { type CronExpression, CronExpressionParser } from 'cron-parser';
import { TocsinError } from './errors.ts';
import { CLOCK_CHANGE_MAX_MS, instantsOf, isNearClockChange, timeZoneProblem, wallAt } from './zone-time.ts';

/**
 * When a schedule is due. The expression is cron-parser's, the one pg-boss uses, but the time zone is ours: cron-parser
 * 5.10.5 answers differently going forward and backward around a change of the clocks. Its `prev()` leaves out a time
 * that was skipped, gives a repeated one at its second reading, too, and gives up with "loop limit exceeded" where midnight
 * is skipped (Cairo); its `next()` gives a repeated one again when asked in the repeated hour. So it is asked in UTC only,
 * as if local times were UTC, and each local time is turned into its instant here.
 *
 * - A local time that does not exist is due once, moved by as much as the clocks were: 02:30 becomes 03:30.
 * - A local time that exists twice is due once, the first time, if the expression names hours.
 * - An expression for every hour (`30 * * * *`) is due whenever the clocks show such a time: both times in a repeated
 *   hour, so that it is due every real hour.
 */

/** Most local times looked at for one answer: every minute of the hours around a change of the clocks, with room. */
const CANDIDATES_MAX = 2_000;

const SHORTHANDS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@hourly', '@weekdays', '@weekends'];

/**
 * What is wrong with an expression or its time zone, and the cure, or undefined. Right are five fields (minute, hour, day of
 * the month, month, day of the week), six with a leading second, and shorthands such as `@daily`. More often than once a
 * minute is refused, so is `H`, which means a random value, and so is what is never due.
 */
export function cronProblem(expression: string, timeZone: string): string | undefined {
  const zoneProblem = timeZoneProblem(timeZone);
  if (zoneProblem !== undefined) return `the time zone ${JSON.stringify(timeZone)} ${zoneProblem}`;
  const form = 'write minute, hour, day of the month, month and day of the week, such as 30 3 * * 1';
  if (expression.startsWith('@')) {
    return SHORTHANDS.includes(expression) ? undefined : `is no known shorthand; ${form}, or ${SHORTHANDS.join(', ')}`;
  }
  const fields = expression.trim().split(/\s+/);
  if (fields.length < 5 || fields.length > 6) {
    return `must have five fields, or six with the seconds first; ${form}`;
  }
  if (/h/i.test(fields.join(' ').replaceAll(/thu/gi, ''))) return `H stands for a random value; name a fixed one`;
  try {
    const parsed = parse(expression, 0);
    if (parsed.fields.second.values.length > 1) return 'must not be due more than once a minute; name one second';
  } catch (error) {
    return `is no cron expression (${messageOf(error)}); ${form}`;
  }
  return nextDue(expression, timeZone, new Date(0)) === null ? 'is never due; there is no such day' : undefined;
}

/**
 * The latest time strictly before an instant at which a schedule was due, as ISO-8601 UTC; null when there is none.
 * Throws TocsinError `CRON_INVALID` for what `cronProblem` names.
 */
export function previousDue(expression: string, timeZone: string, before: Date | string): string | null {
  return nearestDue(expression, timeZone, before, -1);
}

/** The earliest time strictly after an instant at which a schedule is due; otherwise as `previousDue`. */
export function nextDue(expression: string, timeZone: string, after: Date | string): string | null {
  return nearestDue(expression, timeZone, after, 1);
}

/**
 * Local times are walked away from the instant. Their instants come in the same order, except around a change of the
 * clocks; there the walk starts that much earlier and goes on that much longer.
 */
function nearestDue(expression: string, timeZone: string, from: Date | string, direction: 1 | -1): string | null {
  const fromMs = new Date(from).getTime();
  if (Number.isNaN(fromMs)) throw new TocsinError('CRON_INVALID', `${String(from)} is not an instant; write ISO 8601`);
  const marginAt = (instantMs: number): number =>
    isNearClockChange(timeZone, instantMs) ? direction * CLOCK_CHANGE_MAX_MS : 0;
  const startMs = wallAt(timeZone, fromMs) - marginAt(fromMs);
  const walk = parse(expression, startMs);
  const everyHour = walk.fields.hour.values.length === 24;
  let nearestMs: number | undefined;
  let endMs = 0;
  for (let count = 0; count < CANDIDATES_MAX; count += 1) {
    const wallMs = step(walk, direction);
    if (wallMs === undefined) break;
    if (nearestMs !== undefined && (wallMs - endMs) * direction > 0) break;
    const instants = instantsOf(timeZone, wallMs);
    for (const instantMs of everyHour ? instants : instants.slice(0, 1)) {
      if ((instantMs - fromMs) * direction <= 0) continue;
      if (nearestMs !== undefined && (instantMs - nearestMs) * direction >= 0) continue;
      nearestMs = instantMs;
      endMs = wallAt(timeZone, instantMs) + marginAt(instantMs);
    }
    if (nearestMs !== undefined && wallMs === endMs) break;
  }
  return nearestMs === undefined ? null : new Date(nearestMs).toISOString();
}

function step(walk: CronExpression, direction: 1 | -1): number | undefined {
  try {
    return (direction === 1 ? walk.next() : walk.prev()).getTime();
  } catch {
    // cron-parser gives up after some thousand steps: there is no such time within decades.
    return undefined;
  }
}

function parse(expression: string, currentMs: number): CronExpression {
  try {
    return CronExpressionParser.parse(expression, { tz: 'UTC', currentDate: new Date(currentMs) });
  } catch (error) {
    throw new TocsinError('CRON_INVALID', `${JSON.stringify(expression)}: ${messageOf(error)}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  const reason = error instanceof TocsinError && error.cause !== undefined ? error.cause : error;
  return reason instanceof Error ? reason.message : String(reason);
}
