import type { MessageItem, MessageJob } from './digest-message.ts';
import { causeLine, cleanText } from './error-text.ts';
import type { Instant } from './ids.ts';
import { stepName } from './signal.ts';

/** Longest subject, in characters; phones show about forty. */
export const subjectCharsMax = 150;
/** Longest headline, in characters: what a lock screen shows under the subject. */
export const headlineCharsMax = 240;

/**
 * The subject: what failed, most urgent first. It stays the same for the whole conversation, so what follows later
 * ("works again") is said by the headline.
 */
export const subjectOf = (items: readonly MessageItem[], failures: number): string => {
  const bad = items.filter((item) => !isFine(item));
  const told = bad.length > 0 ? bad : items;
  const first = told[0];
  if (first === undefined) return 'Tocsin';
  const mark = first.severity === 'error' || isFine(first) ? '' : `[${first.severity}] `;
  return oneLine(mark + (told.length === 1 ? subjectPart(first) : subjectList(told, failures)), subjectCharsMax);
};

/** The story in one line: what became of the work, why, and what did not run because of it. */
export const headlineOf = (items: readonly MessageItem[]): string => {
  const [first, ...others] = items;
  if (first === undefined) return '';
  const bad = others.filter((item) => !isFine(item)).length;
  const fine = others.filter(isFine).reduce((sum, item) => sum + item.alerts, 0);
  const also = [
    ...(bad > 0 ? [countOf(bad, 'more problem')] : []),
    ...(fine > 0 ? [`${fine.toLocaleString('en-GB')} recovered`] : []),
  ];
  const tail = also.length === 0 ? '' : ` Also in this message: ${also.join(', ')}.`;
  return oneLine(tell(first), headlineCharsMax - tail.length) + tail;
};

const isFine = (item: MessageItem): boolean => item.kind === 'resolved' || item.kind === 'recovered';

const subjectPart = (item: MessageItem): string => {
  if (item.kind === 'recovered') return `${nameOf(item)} failed and recovered`;
  if (item.kind === 'resolved')
    return `${nameOf(item)} ${item.resolution?.reason === 'operator' ? 'was closed' : 'works again'}`;
  const what = item.chain === null ? failed(item) : `${item.title}: ${failed(item)}`;
  const missing = missingOf(item);
  return (
    what +
    (missing === '' ? '' : `, ${missing} did not run`) +
    (item.kind === 'escalated' ? ', nobody has acknowledged it' : '')
  );
};

const titlesListedMax = 3;
/** "40 failures: apple/refresh_catalog (20), apple/rebuild_index (15) and google/import (5)" */
const subjectList = (items: readonly MessageItem[], failures: number): string => {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item.title, (counts.get(item.title) ?? 0) + item.failures);
  const fine = items.every(isFine);
  const lead = failures > 0 && !fine ? countOf(failures, 'failure') : countOf(items.length, 'problem');
  const [[title] = ['']] = counts;
  if (counts.size === 1 && !fine) return `${lead} of ${title}, ${items.length} causes`;
  const names = [...counts].map(([name, count]) => (count > 1 ? `${name} (${count.toLocaleString('en-GB')})` : name));
  return `${lead}${fine ? ' over' : ''}: ${listOf(names, titlesListedMax)}`;
};

const tell = (item: MessageItem): string => {
  switch (item.kind) {
    case 'resolved':
      return resolved(item);
    case 'recovered':
      return recovered(item);
    case 'escalated':
      return `Not acknowledged for ${forHumans(item.escalation?.afterMs ?? 0)}: ${failing(item)}`;
    case 'lapsed':
      return item.lapse?.reason === 'signature-change'
        ? `Fails for a new reason, so the acknowledgement by ${item.lapse.by} has ended. ${failing(item)}`
        : `Still failing, and the acknowledgement by ${item.lapse?.by ?? 'somebody'} has ended. ${failing(item)}`;
    case 'again':
      if (item.chain !== null) return inFirstRun(item) ? failing(item, 'also') : `Still failing: ${failing(item)}`;
      return `${failing(item, 'again')} ${countOf(item.occurrences, 'failure')} since ${when(item.since)}.`;
    case 'new':
      return failing(item, item.predecessor === null ? undefined : againAfter(item.predecessor.recentCount));
    default:
      return item.kind satisfies never;
  }
};

/** "Resolved: apple/catalog works again after 14 days. 3 failures. Acknowledged by ann." */
const resolved = (item: MessageItem): string => {
  const lasted = forHumans(item.resolution?.downtimeMs ?? 0);
  const closed = item.resolution?.reason === 'operator';
  const what = closed
    ? `Closed by ${item.resolution?.by ?? 'an operator'}: ${nameOf(item)}, open for ${lasted}.`
    : `Resolved: ${nameOf(item)} ${item.alerts > 1 ? 'work' : 'works'} again after ${lasted}.`;
  const acknowledged = item.acknowledgedBy === null ? '' : ` Acknowledged by ${item.acknowledgedBy}.`;
  return `${what} ${countOf(item.occurrences, 'failure')}.${acknowledged}`;
};

/** "apple/refresh_catalog/songs failed at 03:02 and recovered at 03:07 UTC on Mon 2 Mar (5 min): HTTP 503." */
const recovered = (item: MessageItem): string => {
  const { resolution } = item;
  if (resolution === null || item.alerts > 1) return `${failed(item)} and recovered${why(item)}`;
  if (resolution.reason === 'operator')
    return `${failed(item)}${why(item)} Closed by ${resolution.by ?? 'an operator'}.`;
  const sameDay = item.since.slice(0, 10) === resolution.resolvedAt.slice(0, 10);
  const times = sameDay
    ? `at ${clock(item.since)} and recovered at ${clock(resolution.resolvedAt)} UTC on ${day(item.since)}`
    : `on ${day(item.since)} at ${clock(item.since)} and recovered on ${when(resolution.resolvedAt)}`;
  return `${failed(item)} ${times} (${forHumans(resolution.downtimeMs)})${why(item)}`;
};

/** "songs failed: HTTP 503 from the source. rebuild_index did not run; last good run Mon 23 Feb 03:40 UTC." */
const failing = (item: MessageItem, adverb?: string): string => {
  const missing = missingOf(item);
  const green = item.chain?.lastGreenAt == null ? '' : `last good run ${when(item.chain.lastGreenAt)}`;
  const consequence = [missing === '' ? '' : `${missing} did not run`, green].filter((part) => part !== '').join('; ');
  const sentence =
    consequence === '' ? '' : ` ${consequence.startsWith('last') ? `L${consequence.slice(1)}` : consequence}.`;
  return `${failed(item, adverb)}${why(item)}${sentence}`;
};

/** ": HTTP 503 from the source." or "." */
const why = (item: MessageItem): string => {
  const error = item.causes[0]?.error;
  if (error == null) return '.';
  const line = firstLine(error, 110);
  return `: ${line}${/[.!?…]$/.test(line) ? '' : '.'}`;
};

/** "songs failed", "albums and songs failed again", "apple/refresh_catalog failed for 20 targets" */
const failed = (item: MessageItem, adverb?: string): string => {
  const names = item.chain === null ? [item.title] : stepsOf(item);
  const verb = verbOf(
    item.causes.flatMap((cause) => cause.jobs),
    names.length > 1,
  );
  const phrase = adverb === 'also' ? `also ${verb}` : adverb === undefined ? verb : `${verb} ${adverb}`;
  const targets = item.alerts > 1 ? ` for ${item.alerts.toLocaleString('en-GB')} targets` : '';
  return `${listOf(names, namesListedMax)} ${phrase}${targets}`;
};

const verbs: Readonly<Record<string, readonly [one: string, several: string]>> = {
  failed: ['failed', 'failed'],
  dead: ['is dead', 'are dead'],
  stuck: ['is stuck', 'are stuck'],
  stalled: ['waits and is not picked up', 'wait and are not picked up'],
  overdue: ['is overdue', 'are overdue'],
  partial: ['failed in part', 'failed in part'],
};
const verbOf = (jobs: readonly MessageJob[], several: boolean): string => {
  const kinds = new Set(jobs.map((job) => job.kind));
  const [kind = 'failed'] = kinds;
  return (kinds.size === 1 && Object.hasOwn(verbs, kind) ? verbs[kind] : undefined)?.[several ? 1 : 0] ?? 'failed';
};

/** Which steps of a chain failed, by their shortest telling names. */
const stepsOf = (item: MessageItem): readonly string[] => {
  const jobs = item.causes.flatMap((cause) => cause.jobs);
  const types = new Set(jobs.filter((job) => job.targetId !== null).map((job) => job.jobType));
  const names = [
    ...new Set(jobs.map((job) => (types.size === 1 && job.targetId !== null ? job.targetId : stepName(job)))),
  ];
  return names.length === 0 ? [item.title] : names;
};

const missingOf = (item: MessageItem): string => {
  const missing = item.chain?.missing ?? [];
  const types = new Set(missing.filter((name) => name.includes('/')).map((name) => name.slice(0, name.indexOf('/'))));
  return listOf(types.size === 1 ? missing.map((name) => name.slice(name.indexOf('/') + 1)) : missing, namesListedMax);
};

/** Whether the chain's first failure happened in the run of the latest one; runs are named by their start. */
const inFirstRun = (item: MessageItem): boolean => {
  const run = item.chain?.run ?? '';
  return /^\d{4}-\d\d-\d\dT/.test(run) && run <= item.since;
};

const ordinals = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];
/** "again, third time this week" */
const againAfter = (recentCount: number): string =>
  recentCount < 1 ? 'again' : `again, ${ordinals[recentCount] ?? `${recentCount + 1}th`} time this week`;

const nameOf = (item: MessageItem): string =>
  item.alerts > 1 ? `${item.alerts.toLocaleString('en-GB')} targets of ${item.title}` : item.title;

const namesListedMax = 4;
const listOf = (names: readonly string[], listedMax: number): string => {
  if (names.length > listedMax) return `${names.slice(0, listedMax).join(', ')} and ${names.length - listedMax} more`;
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
};

const countOf = (count: number, noun: string): string =>
  `${count.toLocaleString('en-GB')} ${noun}${count === 1 ? '' : 's'}`;

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** "Mon 2 Mar 03:02 UTC" */
const when = (at: Instant): string => `${day(at)} ${clock(at)} UTC`;
const clock = (at: Instant): string => at.slice(11, 16);
const day = (at: Instant): string => {
  const date = new Date(at);
  return `${weekdays[date.getUTCDay()]} ${date.getUTCDate()} ${months[date.getUTCMonth()]}`;
};

/** "45 s", "2 h 5 min", "3 days 4 h": two units at most. */
export const forHumans = (ms: number): string => {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} days` : `${days} days ${hours % 24} h`;
};

const firstLine = (text: string, charsMax: number): string => cut(causeLine(cleanText(text)), charsMax);
const oneLine = (text: string, charsMax: number): string => cut(cleanText(text).replace(/\s+/g, ' ').trim(), charsMax);
const cut = (line: string, charsMax: number): string =>
  line.length > charsMax
    ? `${line
        .slice(0, charsMax - 1)
        .toWellFormed()
        .trimEnd()}…`
    : line;
