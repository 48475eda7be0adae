import { messageErrorCharsMax } from './digest-message.ts';
import type { MessageIncident, MessageItem } from './digest-message.ts';
import { forHumans } from './for-humans.ts';
import { isConditionWord, jobsByKind, occurrenceNoun, verbOf } from './kind-words.ts';
import { countOf, firstLine, fromTo, oneLine, thousands } from './phrases.ts';

/** What a message is as a whole. */
export interface WholeMessage {
  /** Failures it tells of, those of items not shown included. */
  readonly failures: number;
  readonly incident: MessageIncident | null;
  /** Whether it continues a conversation. */
  readonly followUp: boolean;
  /** Open alerts of the conversation, this message counted. */
  readonly threadOpen: number;
  /** Alerts of it that are over, those of items not shown included. */
  readonly resolved: number;
}

/** Kinds that can be said of many jobs at once: "5,000 jobs are stuck". */
const countable: ReadonlySet<string> = new Set(['stuck', 'stalled', 'overdue', 'deadline']);
const causesToldMax = 3;
const onlyCauseCharsMax = 110;
const causeCharsMax = 44;

/** "5,000 jobs failed: 3 causes", "5,000 apple/import jobs failed: one cause" */
export const incidentSubject = (
  items: readonly MessageItem[],
  whole: WholeMessage,
  incident: MessageIncident,
): string => {
  if (incident.keys === 0) return over(items, whole);
  const causes = incident.causes ?? 1;
  const unanswered = items.every(({ kind }) => kind === 'escalated') ? ', nobody has acknowledged it' : '';
  return `${manyFailed(items, whole, incident)}: ${causes === 1 ? 'one cause' : countOf(causes, 'cause')}${unanswered}`;
};

/**
 * "5,000 jobs of 3 types failed, Mon 2 Mar 03:02 to 03:07 UTC. 3,000: connection refused; 1,500: read timed out; 500:
 * KeyError." How many, when and why; which types is in the message.
 */
export const incidentHeadline = (
  items: readonly MessageItem[],
  whole: WholeMessage,
  incident: MessageIncident,
): string => {
  if (incident.keys === 0) return `${over(items, whole)}${stillOpen(whole)}`;
  const [first] = items;
  const since = first?.kind === 'escalated' ? first.escalation : null;
  const lead =
    since == null
      ? ''
      : (since.repeat ?? 0) > 0
        ? `Still not acknowledged after ${forHumans(since.afterMs)}: `
        : `Not acknowledged for ${forHumans(since.afterMs)}: `;
  const times = fromTo(incident.firstFailedAt, incident.lastFailedAt);
  return `${lead}${manyFailed(items, whole, incident)}, ${times}.${causesOf(items, incident)}`;
};

/** "5,000 jobs failed", "1,200 more jobs of 3 types failed", "40 apple/import jobs are stuck", "50 problems" */
const manyFailed = (items: readonly MessageItem[], whole: WholeMessage, incident: MessageIncident): string => {
  const isEscalated = items[0]?.kind === 'escalated';
  // What an escalation tells of was counted when it was told.
  const count = whole.failures > 0 && !isEscalated ? whole.failures : incident.keys;
  const more = whole.followUp && !isEscalated ? 'more ' : '';
  const types = incident.byJobType.length + incident.moreJobTypes;
  const [type] = incident.byJobType;
  const kinds = new Set(items.flatMap((item) => [...jobsByKind(item).keys()]));
  const [kind = 'failed'] = kinds;
  const areFailures = items.every((item) => occurrenceNoun(item) === 'failure') && ![...kinds].some(isConditionWord);
  const ofOneKind = kinds.size === 1 && countable.has(kind);
  if (!areFailures && !ofOneKind) return `${thousands(count)} ${more}problem${count === 1 ? '' : 's'}`;
  const jobs =
    types === 1 && type !== undefined
      ? `${type.source}/${type.jobType} job`
      : incident.source === null
        ? 'job'
        : `${incident.source} job`;
  return `${thousands(count)} ${more}${jobs}${count === 1 ? '' : 's'}${types > 1 ? ` of ${types} types` : ''} ${verbOf(ofOneKind ? kind : 'failed', count !== 1)}`;
};

const causesOf = (items: readonly MessageItem[], incident: MessageIncident): string => {
  const causes = incident.causes ?? items.length;
  const told = items.filter(({ kind }) => kind !== 'resolved' && kind !== 'recovered').slice(0, causesToldMax);
  const [only] = told;
  if (only === undefined) return '';
  if (causes === 1) return ` Cause: ${causeOf(only, onlyCauseCharsMax)}${endOf(causeOf(only, onlyCauseCharsMax))}`;
  const list = told.map(
    (item) => `${thousands(item.failures > 0 ? item.failures : item.alerts)}: ${causeOf(item, causeCharsMax)}`,
  );
  const more = causes - told.length;
  const text = `${list.join('; ')}${more > 0 ? `; and ${countOf(more, 'more cause')}` : ''}`;
  return ` ${text}${endOf(text)}`;
};

const causeOf = ({ causes: [cause] }: MessageItem, charsMax: number): string => {
  const error = cause?.error;
  const line = error == null ? '' : oneLine(withoutPackage(firstLine(error, messageErrorCharsMax)), charsMax);
  return line === '' ? 'no error text' : line;
};

/** "psycopg.OperationalError: x" without the package: a lock screen has little room. */
const withoutPackage = (line: string): string => line.replace(/^(?:[a-z_][a-z0-9_]{0,40}\.){1,6}(?=[A-Z])/, '');

const endOf = (text: string): string => (/[.!?…]$/.test(text) ? '' : '.');

/** "4,000 jobs work again", "12 jobs failed and recovered" */
const over = (items: readonly MessageItem[], { resolved }: WholeMessage): string => {
  const isShort = items.every(({ kind }) => kind === 'recovered');
  const alerts = items.reduce((sum, item) => sum + item.alerts, 0);
  const occurrences = items.reduce((sum, item) => sum + item.occurrences, 0);
  // An alert may be about many jobs; how many of them work again is known only where each has its own.
  const isEach = alerts === occurrences && items.every((item) => occurrenceNoun(item) === 'failure');
  const many = countOf(resolved, isEach ? 'job' : 'problem');
  if (!isEach) return `${many} ${resolved === 1 ? 'is' : 'are'} over`;
  return isShort ? `${many} failed and recovered` : `${many} ${resolved === 1 ? 'works' : 'work'} again`;
};

const stillOpen = ({ threadOpen }: WholeMessage): string =>
  threadOpen > 0
    ? `. ${thousands(threadOpen)} of this conversation ${threadOpen === 1 ? 'is' : 'are'} still open.`
    : '. Nothing of this conversation is open any more.';
