import { causesMax } from './alert-state.ts';
import { jobsPerItemMax } from './digest-message.ts';
import type { MessageDevelopment, MessageItem, MessageJob } from './digest-message.ts';
import { ownValue } from './own-value.ts';
import { conditionKinds } from './signal.ts';

/** What a job of each kind does, for one and for several. */
const verbs: Readonly<Record<string, readonly [one: string, several: string]>> = {
  failed: ['failed', 'failed'],
  dead: ['is dead', 'are dead'],
  partial: ['failed in part', 'failed in part'],
  stuck: ['is stuck', 'are stuck'],
  stalled: ['waits and nobody picks it up', 'wait and nobody picks them up'],
  backlog: ['jobs wait and no worker picks them up', 'jobs wait and no worker picks them up'],
  overdue: ['is overdue', 'are overdue'],
  deadline: ['has not finished in time', 'have not finished in time'],
  zero_throughput: ['runs and no job of it ends', 'run and no job of them ends'],
  unhealthy: ['cannot be judged', 'cannot be judged'],
  unreadable: ['cannot be read', 'cannot be read'],
  component: ['needs attention', 'need attention'],
};

/** What something was as long as a condition held: "was stuck". */
const states: Readonly<Record<string, string>> = {
  stuck: 'stuck',
  stalled: 'waiting for a worker',
  backlog: 'waiting for a worker',
  overdue: 'overdue',
  deadline: 'late',
  zero_throughput: 'standing still',
  unhealthy: 'impossible to judge',
  unreadable: 'unreadable',
  component: 'in trouble',
};

/** What it is again afterwards, where that is said more simply than that it is no longer something. */
const againWords: Readonly<Record<string, string>> = {
  unhealthy: 'can be judged again',
  unreadable: 'can be read again',
  component: 'is fine again',
};

/**
 * A condition that has words of its own, by what it is about: a whole type's queue, a table that cannot be read, a part of
 * Tocsin (`channel/email`, `detector`).
 */
const wordOf = ({ kind, jobId }: { readonly kind: string; readonly jobId: string }): string => {
  if (kind === 'stalled' && jobId.startsWith('type:')) return 'backlog';
  if (kind !== 'unhealthy') return kind;
  if (jobId === 'table:unreadable') return 'unreadable';
  return component.test(jobId) ? 'component' : kind;
};

const component = /^(?:channel\/.+|detector|notifier|audit|canary)$/;

/** What decides how an item is told comes first: what is over for good, then what still goes on. */
const order: readonly string[] = Object.keys(verbs);
const conditions: ReadonlySet<string> = new Set([...conditionKinds, 'backlog', 'unreadable', 'component']);

/** Whether a kind, as a message spells it, holds only for as long as something is so. */
export const isConditionWord = (kind: string): boolean => conditions.has(kind);

/** "is stuck", "are stuck"; kinds unknown here "failed". */
export const verbOf = (kind: string, several: boolean): string =>
  (ownValue(verbs, kind) ?? ['failed', 'failed'])[several ? 1 : 0];

/** Jobs of an item by what is wrong with them, most decisive kind first. A job that was stuck and then failed has failed. */
export const jobsByKind = (item: MessageItem): ReadonlyMap<string, readonly MessageJob[]> => {
  const jobs = listedJobs(item);
  const over = new Set(jobs.filter(({ kind }) => !conditions.has(kind)).map(({ jobId }) => jobId));
  const decisive = jobs.filter(({ kind, jobId }) => !conditions.has(kind) || !over.has(jobId));
  const kinds = new Set(decisive.map(({ kind }) => kind));
  // Among failed jobs a dead one is one of them.
  const nameOf = (job: MessageJob): string =>
    !Object.hasOwn(verbs, job.kind) || (job.kind === 'dead' && kinds.has('failed')) ? 'failed' : wordOf(job);
  return new Map([...Map.groupBy(decisive, nameOf)].toSorted(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
};

/** Jobs of an item, as many as a composer lists at most: a message may have come from elsewhere. */
const listedJobs = (item: MessageItem): readonly MessageJob[] =>
  item.causes.slice(0, causesMax).flatMap(({ jobs }) => jobs.slice(0, jobsPerItemMax));

/** These are about a schedule or a chain's run as a whole, whichever step the signal names. */
export const isAboutRun = (kind: string): boolean => kind === 'deadline' || kind === 'overdue';

/** Whether all that is wrong with an item are conditions, so that nothing of it has failed. */
export const isSuspected = (item: MessageItem): boolean => {
  const kinds = [...jobsByKind(item).keys()];
  return kinds.length > 0 && kinds.every(isConditionWord);
};

/** How many of the occurrences of an item were conditions; of a message of Tocsin 0.1, which knew none, none. */
const conditionsOf = ({ conditions: byKind }: MessageItem): number =>
  Object.values(byKind ?? {}).reduce((sum, count) => sum + count, 0);

/** What the occurrences of an item are called when they are counted: being stuck is no failure. */
export const occurrenceNoun = (item: MessageItem): 'failure' | 'occurrence' =>
  conditionsOf(item) > 0 || listedJobs(item).some(({ kind }) => conditions.has(kind)) ? 'occurrence' : 'failure';

/** What a message's news are called when they are counted across its items. */
export const newsNoun = (items: readonly MessageItem[]): 'failure' | 'problem' =>
  items.some((item) => occurrenceNoun(item) !== 'failure') ? 'problem' : 'failure';

/**
 * What an item was before it failed for the first time, "stuck"; null when it had failed before, or has not failed.
 * Readers know it as that: it has not failed "again".
 */
export const beforeFirstFailure = (item: MessageItem): string | null => {
  if (item.kind !== 'again' || isSuspected(item)) return null;
  const toldNow = item.causes
    .filter(({ jobs }) => jobs.length > 0 && jobs.every(({ kind }) => conditions.has(kind)))
    .reduce((sum, { count }) => sum + count, 0);
  const isFirst = item.occurrences - conditionsOf(item) === item.failures - toldNow;
  const words = Object.keys(item.conditions ?? {}).flatMap((kind) => ownValue(states, kind) ?? []);
  return isFirst && words.length > 0 ? words.slice(0, 2).join(' and ') : null;
};

/** Steps that did not run because of a failure; of a run that is merely late they may yet run, and its own words name them. */
export const missingSteps = (item: MessageItem): readonly string[] => {
  const kinds = [...jobsByKind(item).keys()];
  return kinds.length > 0 && kinds.every(isAboutRun) ? [] : (item.chain?.missing ?? []);
};

/** "stuck", "stuck or overdue": what an item was as long as its conditions held; null when it had none. */
export const wasWhat = (item: MessageItem): string | null => {
  const words = [...jobsByKind(item).keys()].flatMap((kind) => ownValue(states, kind) ?? []);
  return words.length === 0 ? null : words.slice(0, 2).join(' or ');
};

/** "can be read again", "is no longer stuck", "are no longer stuck or overdue": how it is once its conditions are over. */
export const overWords = (item: MessageItem): string => {
  const kinds = [...jobsByKind(item).keys()];
  const again = kinds.length === 1 ? ownValue(againWords, kinds[0] ?? '') : undefined;
  return again ?? `${item.alerts > 1 ? 'are' : 'is'} no longer ${wasWhat(item) ?? 'a problem'}`;
};

/**
 * One development as a sentence without its full stop: "job 7 is no longer stuck: a sign of life at 03:20", "job 7 was
 * requeued by the janitor, restart 1 of 3".
 *
 * @param who what the sentence is about, as its beginning
 */
export const developmentWords = (who: string, { what, kind: ofKind, jobId, detail }: MessageDevelopment): string => {
  const kind = wordOf({ kind: ofKind, jobId });
  const after = (mark: string): string => (detail === null || detail === '' ? '' : `${mark} ${detail}`);
  switch (what) {
    case 'retracted':
      return `${who} ${ownValue(againWords, kind) ?? `is no longer ${ownValue(states, kind) ?? 'a problem'}`}${after(':')}`;
    case 'requeued':
      return `${who} was requeued by the janitor${after(',')}`;
    case 'marked-dead':
      return `${who} was marked dead by the janitor${after(':')}`;
    case 'repair-skipped':
      return `${who} was left alone by the janitor${after(':')}`;
    default:
      return what satisfies never;
  }
};

/** The job a development is about, where the item lists it; null for what is no row, such as a schedule. */
export const jobOfDevelopment = (item: MessageItem, development: MessageDevelopment): MessageJob | null =>
  listedJobs(item).find(({ jobId }) => jobId === development.jobId) ?? null;

/** Whether a job id stands for something that is no row of its own: a schedule, a chain run, a job type, a table. */
export const isNoRow = (jobId: string): boolean => /^(?:schedule|run|type|table):/.test(jobId);
