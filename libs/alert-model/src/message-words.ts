import type { MessageItem } from './digest-message.ts';
import { cleanText } from './error-text.ts';
import { stepName } from './signal.ts';

/** Longest subject, in characters; phones show about forty. */
export const subjectCharsMax = 150;
/** Longest headline, in characters: what a lock screen shows under the subject. */
export const headlineCharsMax = 240;

/**
 * The subject: what failed, most urgent first. It stays the same for the whole conversation, so it never says
 * "resolved"; the headline does.
 */
export const subjectOf = (items: readonly MessageItem[], failures: number): string => {
  const first = items[0];
  if (first === undefined) return 'Tocsin';
  const mark = first.severity === 'error' ? '' : `[${first.severity}] `;
  const others = items.length - 1;
  const tail = others > 0 ? ` and ${others} more` : '';
  const lead = others > 0 || first.alerts > 1 ? `${countOf(failures, 'failure')}: ` : '';
  return oneLine(`${mark}${lead}${subjectPart(first)}${tail}`, subjectCharsMax);
};

/** The story in one line: what became of the work, why, and what did not run because of it. */
export const headlineOf = (items: readonly MessageItem[], failures: number): string => {
  const first = items[0];
  if (first === undefined) return '';
  const others = items.slice(1);
  const fine = others.filter((item) => item.kind === 'resolved' || item.kind === 'recovered').length;
  const bad = others.length - fine;
  const also = [bad > 0 ? `${countOf(bad, 'more problem')}` : '', fine > 0 ? `${fine} recovered` : ''].filter((part) => part !== '');
  const story = tell(first, failures);
  return oneLine(also.length > 0 ? `${story} Also ${also.join(', ')}.` : story, headlineCharsMax);
};

const tell = (item: MessageItem, failures: number): string => {
  switch (item.kind) {
    case 'resolved':
      return `Resolved: ${nameOf(item)} works again after ${forHumans(item.resolution?.downtimeMs ?? 0)}.`;
    case 'recovered':
      return `Failed and recovered: ${nameOf(item)} was down for ${forHumans(item.resolution?.downtimeMs ?? 0)}.`;
    case 'escalated':
      return `Nobody has acknowledged ${nameOf(item)} for ${forHumans(item.escalation?.afterMs ?? 0)}. ${failing(item)}`;
    case 'lapsed':
      return `${item.lapse?.by ?? 'Somebody'}'s acknowledgement of ${nameOf(item)} has ended${item.lapse?.reason === 'signature-change' ? ': it fails for a new reason' : ''}. ${failing(item)}`;
    case 'again':
      return `Still failing: ${failing(item)}`;
    case 'new':
      return item.alerts > 1 ? `${countOf(failures, 'failure')}. ${failing(item)}` : failing(item);
    default:
      return item.kind satisfies never;
  }
};

/** "songs failed: HTTP 503 from the source. rebuild_index did not run." */
const failing = (item: MessageItem): string => {
  const cause = item.causes[0];
  const why = cause?.error == null ? '' : `: ${firstLine(cause.error, 110)}`;
  const missing = item.chain?.missing ?? [];
  const consequence = missing.length === 0 ? '' : ` ${listOf(missing)} did not run.`;
  return `${failedSteps(item)} failed${why}${/[.!?]$/.test(why) || (why === '' && consequence === '') ? '' : '.'}${consequence}`;
};

const subjectPart = (item: MessageItem): string => {
  if (item.chain === null) return `${item.title} failed${item.alerts > 1 ? ` (${item.alerts} targets)` : ''}`;
  const missing = item.chain.missing;
  return `${item.title}: ${failedSteps(item)} failed${missing.length > 0 ? `, ${listOf(missing)} did not run` : ''}`;
};

/** Which steps of a chain failed, by their shortest telling name; the title for everything else. */
const failedSteps = (item: MessageItem): string => {
  if (item.chain === null) return nameOf(item);
  const jobs = item.causes.flatMap((cause) => cause.jobs);
  const names = [...new Set(jobs.map((job) => job.targetId ?? stepName(job)))];
  return names.length === 0 ? item.title : listOf(names);
};

const nameOf = (item: MessageItem): string => (item.alerts > 1 ? `${item.title} (${item.alerts} targets)` : item.title);

const namesListedMax = 4;
const listOf = (names: readonly string[]): string => {
  if (names.length > namesListedMax) return `${names.slice(0, namesListedMax).join(', ')} and ${names.length - namesListedMax} more`;
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
};

const countOf = (count: number, noun: string): string => `${count.toLocaleString('en-GB')} ${noun}${count === 1 ? '' : 's'}`;

/** "2 h 5 min", "3 days 4 h": two units at most. */
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

const firstLine = (text: string, charsMax: number): string => {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > charsMax ? `${line.slice(0, charsMax - 1).toWellFormed().trimEnd()}…` : line;
};

const oneLine = (text: string, charsMax: number): string => {
  const line = cleanText(text).replace(/\s+/g, ' ').trim();
  return line.length > charsMax ? `${line.slice(0, charsMax - 1).toWellFormed().trimEnd()}…` : line;
};
