import { causeLine, isNoRow, jobsPerItemMax, messageErrorCharsMax } from '@tocsin/alert-model';
import type { MessageCause, MessageItem, MessageJob } from '@tocsin/alert-model';
import { attemptsText } from './attempts-text.ts';
import { cleanBlock, cleanLine, cleanUrl } from './clean-text.ts';
import { counted, formatCount } from './format-count.ts';
import { timeNear } from './format-time.ts';
import { isSentence, onlySentence } from './kind-label.ts';

const nameCharactersMax = 120;
const jobIdCharactersMax = 40;
/** Most jobs listed per cause of an incident: they are samples. */
const jobsInIncidentMax = 4;
const errorInBriefCharactersMax = 160;

/** One cause in words. */
export interface CauseView {
  /** The error text, several lines possible; null when the rows hold none, or the story of the item tells it. */
  readonly error: string | null;
  /** It is a condition: `error` is a sentence to be read like any other, not the text of a program. */
  readonly isSentence: boolean;
  /** `1,204 failures, first 02:57 UTC, last 03:05 UTC`; null when the item has this cause alone. */
  readonly count: string | null;
  /** The jobs by name; empty when the item itself names the only one. */
  readonly jobs: readonly JobView[];
  /** Jobs that are not listed, with where to find them. */
  readonly more: { readonly text: string; readonly url: string | null } | null;
}

/** One job in words. */
export interface JobView {
  readonly name: string;
  /** `attempts 3 of 3, 03:02 UTC`. */
  readonly facts: string;
  readonly url: string | null;
}

/** Puts one cause of an item into words. In brief the jobs are counted, not listed. */
export const causeView = (
  cause: MessageCause,
  item: MessageItem,
  options: { readonly brief: boolean; readonly inIncident: boolean; readonly moreUrl: string | null },
): CauseView => {
  const alone = item.causes.length === 1 && item.moreCauses === 0;
  const single = alone && cause.jobs.length === 1 && cause.moreJobs === 0;
  const sources = cause.jobs.some(({ source }) => source !== item.source);
  const types = sources || cause.jobs.some(({ jobType }) => jobType !== item.jobType);
  const shown =
    options.brief || single ? [] : cause.jobs.slice(0, options.inIncident ? jobsInIncidentMax : jobsPerItemMax);
  const more = single ? 0 : cause.moreJobs + cause.jobs.length - shown.length;
  return {
    error: onlySentence(item) === null ? errorText(cause.error, options.brief) : null,
    isSentence: isSentence(cause),
    count: alone
      ? null
      : [counted(cause.count, isSentence(cause) ? 'occurrence' : 'failure'), ...seen(cause, item)].join(', '),
    jobs: shown.map((job) => jobView(job, item, { sources, types })),
    more:
      more > 0
        ? { text: shown.length === 0 ? counted(more, 'job') : `and ${formatCount(more)} more`, url: options.moreUrl }
        : null,
  };
};

/** When it was seen for the first and the last time, where it was seen more than once. */
const seen = ({ count, firstSeenAt, lastSeenAt }: MessageCause, { since }: MessageItem): readonly string[] =>
  count < 2 || firstSeenAt === undefined || lastSeenAt === undefined
    ? []
    : [`first ${timeNear(firstSeenAt, since)}`, `last ${timeNear(lastSeenAt, since)}`];

const errorText = (error: string | null, brief: boolean): string | null => {
  if (error === null) return null;
  const text = brief
    ? cleanLine(error.startsWith('Traceback ') ? causeLine(error) : error, errorInBriefCharactersMax)
    : cleanBlock(error, messageErrorCharsMax);
  return text === '' ? null : text;
};

// What is the same for all of them the item says already.
const jobView = (
  job: MessageJob,
  item: MessageItem,
  { sources, types }: { readonly sources: boolean; readonly types: boolean },
): JobView => {
  const path = [sources ? job.source : null, types ? job.jobType : null, job.targetId].filter((part) => part !== null);
  const name = path.length === 0 ? `job ${job.jobId}` : path.join(' / ');
  // That a failed job had all its attempts goes without saying.
  const isUsual = job.kind === 'failed' && job.attempts !== null && job.attempts === job.maxAttempts;
  const attempts = isUsual ? null : attemptsText(job.attempts, job.maxAttempts, job.kind);
  return {
    name: cleanLine(name, nameCharactersMax),
    facts: [
      // The name of what a job works at does not find its row.
      path.length === 0 || isNoRow(job.jobId) ? null : `job ${cleanLine(job.jobId, jobIdCharactersMax)}`,
      attempts !== null && job.attempts !== null ? `attempts ${attempts}` : attempts,
      timeNear(job.failedAt, item.since),
    ]
      .filter((part) => part !== null)
      .join(', '),
    url: cleanUrl(job.adminUrl),
  };
};
