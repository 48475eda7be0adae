import type { DigestMessage } from '@tocsin/alert-model';
import { cleanLine, cleanUrl } from './clean-text.ts';
import { formatCount } from './format-count.ts';
import { between, shortTime, timeNear } from './format-time.ts';

const nameCharactersMax = 120;
/** Job types named; a phone shows about as many without scrolling. */
const jobTypesShownMax = 8;
/** How many alerts the command line lists when it is not told. */
const listDefault = 50;

/** Many alerts told as one: what a reader must know before the single causes. */
export interface IncidentView {
  /** `First failure Mon 2 Mar, 03:02 UTC, last 03:07 UTC.` */
  readonly times: string;
  /** How many of which job type, most first. */
  readonly jobTypes: readonly { readonly name: string; readonly count: string }[];
  readonly moreJobTypes: string | null;
  /** Where every one of them is listed. */
  readonly list: { readonly command: string; readonly url: string | null };
}

/** Puts an incident into words; null for a message that tells its alerts one by one. */
export const incidentView = (message: DigestMessage): IncidentView | null => {
  const { incident } = message;
  // A single alert of a storm needs no table of itself.
  if (incident == null || message.totals.alerts < 2) return null;
  const jobTypes = incident.byJobType.slice(0, jobTypesShownMax);
  const more = incident.moreJobTypes + incident.byJobType.length - jobTypes.length;
  const folded = message.items.find(({ alerts }) => alerts > 1);
  return {
    times: timesOf(incident.firstFailedAt, incident.lastFailedAt),
    jobTypes: jobTypes.map(({ source, jobType, alerts }) => ({
      name: cleanLine(`${source}/${jobType}`, nameCharactersMax),
      count: formatCount(alerts),
    })),
    moreJobTypes: more > 0 ? `and ${formatCount(more)} more job types` : null,
    list: {
      command: listCommand(incident.source, message.totals.alerts),
      url: cleanUrl(folded?.tocsinUrl ?? null),
    },
  };
};

const timesOf = (first: string, last: string): string =>
  (between(first, last) ?? 0) < 60_000
    ? `All at ${shortTime(first)}.`
    : `First failure ${shortTime(first)}, last ${timeNear(last, first)}.`;

// A source is text from a row: only a plain word goes into a line that people paste into a shell.
const listCommand = (source: string | null, alerts: number): string =>
  [
    'npx tocsin alerts list',
    ...(source !== null && /^[\w.-]{1,60}$/.test(source) && !source.startsWith('-') ? [`--source ${source}`] : []),
    ...(alerts > listDefault ? ['--limit 1000'] : []),
  ].join(' ');
