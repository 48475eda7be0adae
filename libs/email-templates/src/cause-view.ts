import { jobsPerItemMax, messageErrorCharsMax } from '@tocsin/alert-model';
import type { MessageCause, MessageItem, MessageJob } from '@tocsin/alert-model';
import { attemptsText } from './attempts-text.ts';
import { cleanBlock, cleanLine, cleanUrl } from './clean-text.ts';
import { counted, formatCount } from './format-count.ts';
import { timeNear } from './format-time.ts';
import { isSentence, onlySentence } from './kind-label.ts';

const nameCharactersMax = 120;
const errorInBriefCharactersMax = 160;

/** One cause in words. */
export interface CauseView {
  /** The error text, several lines possible; null when the rows hold none, or the story of the item tells it. */
  readonly error: string | null;
  /** It is a condition: `error` is a sentence to be read like any other, not the text of a program. */
  readonly isSentence: boolean;
  /** `1,204 failures`; null when the item has this cause alone. */
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
  options: { readonly brief: boolean; readonly moreUrl: string | null },
): CauseView => {
  const alone = item.causes.length === 1 && item.moreCauses === 0;
  const single = alone && cause.jobs.length === 1 && cause.moreJobs === 0;
  const shown = options.brief || single ? [] : cause.jobs.slice(0, jobsPerItemMax);
  const more = single ? 0 : cause.moreJobs + cause.jobs.length - shown.length;
  return {
    error: onlySentence(item) === null ? errorText(cause.error, options.brief) : null,
    isSentence: isSentence(cause),
    count: alone ? null : counted(cause.count, isSentence(cause) ? 'occurrence' : 'failure'),
    jobs: shown.map((job) => jobView(job, item)),
    more:
      more > 0
        ? { text: shown.length === 0 ? counted(more, 'job') : `and ${formatCount(more)} more`, url: options.moreUrl }
        : null,
  };
};

const errorText = (error: string | null, brief: boolean): string | null => {
  if (error === null) return null;
  const text = brief ? cleanLine(error, errorInBriefCharactersMax) : cleanBlock(error, messageErrorCharsMax);
  return text === '' ? null : text;
};

// What the item already says is not said again for each of its jobs.
const jobView = (job: MessageJob, item: MessageItem): JobView => {
  const path = [
    job.source === item.source ? null : job.source,
    job.jobType === item.jobType && job.source === item.source ? null : job.jobType,
    job.targetId,
  ].filter((part) => part !== null);
  const name = path.length === 0 ? `job ${job.jobId}` : path.join(' / ');
  const attempts = attemptsText(job.attempts, job.maxAttempts, job.kind);
  return {
    name: cleanLine(name, nameCharactersMax),
    facts: [
      attempts !== null && job.attempts !== null ? `attempts ${attempts}` : attempts,
      timeNear(job.failedAt, item.since),
    ]
      .filter((part) => part !== null)
      .join(', '),
    url: cleanUrl(job.adminUrl),
  };
};
