import type { MessageItem } from '@tocsin/alert-model';
import { isSuspected, messageErrorCharsMax, missingSteps, occurrenceNoun, wasWhat } from '@tocsin/alert-model';
import { cleanLine } from './clean-text.ts';
import { developmentLines } from './development-lines.ts';
import { counted, formatCount, listed, ordinal } from './format-count.ts';
import { formatDuration, longTime, timeNear } from './format-time.ts';
import { isRetracted, onlySentence } from './kind-label.ts';

const nameCharactersMax = 80;
const missingShownMax = 5;
const toldShownMax = 5;
const notesShownMax = 5;
const noteCharactersMax = 200;

/** What happened to this alert, in sentences: why it is told now, what hangs on it, what came before. Clean text. */
export const storyLines = (item: MessageItem): readonly string[] =>
  [
    ...escalationLines(item),
    ...lapseLines(item),
    ...flappingLines(item),
    ...worseLines(item),
    ...silenceLines(item),
    ...resolutionLines(item),
    ...sentenceLines(item),
    ...developmentLines(item),
    ...chainLines(item),
    ...predecessorLines(item),
    ...noteLines(item),
  ].filter((line) => line !== '');

/** What a condition says of itself; of one that is over, what was told of it. */
const sentenceLines = (item: MessageItem): readonly string[] => {
  const sentence = item.kind === 'update' ? null : onlySentence(item);
  if (sentence === null) return [];
  const words = cleanLine(sentence, messageErrorCharsMax);
  return [item.kind === 'resolved' || item.kind === 'recovered' ? `Told as: ${words}` : words];
};

/** What was odd about the rows themselves, said once each. */
const noteLines = (item: MessageItem): readonly string[] => {
  if (item.kind === 'update' || (item.resolution !== null && isSuspected(item))) return [];
  const notes = new Set(item.causes.flatMap((cause) => cause.jobs.flatMap((job) => job.notes)));
  return [...notes].slice(0, notesShownMax).map((note) => `Note: ${cleanLine(note, noteCharactersMax)}`);
};

const escalationLines = ({ escalation, since }: MessageItem): readonly string[] => {
  if (escalation === null) return [];
  const { repeat = 0 } = escalation;
  const told = escalation.toldBefore.map(({ channel, at }) => `${name(channel)} at ${timeNear(at, since)}`);
  return [
    repeat > 0
      ? `Nobody acknowledged within ${formatDuration(escalation.afterMs)}, so everybody is told again (${name(escalation.name)}, ${ordinal(repeat)} repeat).`
      : `Nobody acknowledged within ${formatDuration(escalation.afterMs)}, so this goes to level ${escalation.level} (${name(escalation.name)}).`,
    told.length === 0 ? '' : `Told before: ${listed(told, toldShownMax)}.`,
  ];
};

const lapseLines = ({ lapse, failures, alerts }: MessageItem): readonly string[] => {
  if (lapse === null) return [];
  const who = `Acknowledged by ${name(lapse.by)} on ${longTime(lapse.acknowledgedAt)}`;
  switch (lapse.reason) {
    case 'time':
      return [`${who} until a set time: that ended, and it still fails.`];
    case 'signature-change':
      return [`${who} until the error changes: that ended, it now fails with a different error.`];
    case 'failures':
      return [
        `${who} until it fails too often: that ended${failures > 0 && alerts === 1 ? `, after ${counted(failures, 'more failure')}` : ''}.`,
      ];
    default:
      return [lapse.reason satisfies never];
  }
};

/** That it came and went, and what the reader may expect next. */
const flappingLines = ({ kind, flapping }: MessageItem): readonly string[] => {
  if (flapping == null) return [];
  const hold = formatDuration(flapping.holdMs);
  const often = `It came and went ${formatCount(flapping.count)} times in ${formatDuration(flapping.withinMs)}`;
  if (kind === 'resolved' || kind === 'recovered') return [`${often}, and has been fine for ${hold} since.`];
  if (kind === 'settled')
    return [`${often}, and has now failed for ${hold} without a break. From now on you hear of it as usual.`];
  return [`${often}. You hear of it again when it has been fine, or broken, for ${hold} without a break.`];
};

const worseLines = ({ kind, severity, severityBefore }: MessageItem): readonly string[] =>
  severityBefore == null || kind === 'worse' ? [] : [`It was ${severityBefore} and is ${severity} now.`];

const silenceLines = ({ silence, resolution }: MessageItem): readonly string[] => {
  if (silence == null || resolution !== null) return [];
  const why = silence.reason === null || silence.reason === '' ? '' : ` (${name(silence.reason)})`;
  const end = silence.endedBy === null ? 'That silence is over.' : `${name(silence.endedBy)} ended that silence.`;
  return [`It was silenced by ${name(silence.by)}${why}, so nobody was told. ${end}`];
};

const resolutionLines = (item: MessageItem): readonly string[] => {
  const { resolution } = item;
  if (resolution === null) return [];
  const down = formatDuration(resolution.downtimeMs);
  const count = counted(item.occurrences, occurrenceNoun(item));
  const state = wasWhat(item) ?? 'a problem';
  if (item.kind === 'recovered')
    return [
      `${isSuspected(item) ? capital(state) : 'Failed'} at ${timeNear(item.since, resolution.resolvedAt)}, ${isRetracted(item) ? 'no longer' : 'recovered'} at ${timeNear(resolution.resolvedAt, item.since)}: ${reasonText(resolution)}.`,
    ];
  if (resolution.reason === 'operator')
    return [
      `Closed by ${resolution.by === null ? 'an operator' : name(resolution.by)} on ${longTime(resolution.resolvedAt)}, without a success.`,
      `Open for ${down}, ${count}.`,
    ];
  if (isRetracted(item))
    return [
      `No longer ${state} since ${longTime(resolution.resolvedAt)}: ${reasonText(resolution)}.`,
      `It lasted ${down}${item.occurrences > 1 ? `, ${count}` : ''}.`,
    ];
  return [
    `Working again since ${longTime(resolution.resolvedAt)}: ${reasonText(resolution)}.`,
    `Down for ${down}, ${count}.`,
  ];
};

const reasons: Readonly<Record<string, string>> = {
  succeeded: 'the job succeeded',
  'chain-run-green': 'a whole later run of the chain succeeded',
  'failed-steps-succeeded': 'every failed step has succeeded since',
  retracted: 'what was seen is so no more',
};

const reasonText = (resolution: NonNullable<MessageItem['resolution']>): string => {
  if (resolution.reason === 'operator')
    return resolution.by === null ? 'resolved by hand' : `resolved by hand by ${name(resolution.by)}`;
  // A condition says how it ended, which is truer than any phrase of ours.
  if (resolution.note != null && resolution.note !== '') return cleanLine(resolution.note, noteCharactersMax);
  return Object.hasOwn(reasons, resolution.reason) ? (reasons[resolution.reason] ?? '') : name(resolution.reason);
};

const chainLines = (item: MessageItem): readonly string[] => {
  const { chain, kind } = item;
  if (chain === null || kind === 'update' || kind === 'recovered' || kind === 'resolved') return [];
  const missing = missingSteps(item);
  const parts = [
    missing.length === 0 ? '' : `${listed(missing.map(name), missingShownMax)} did not run`,
    chain.lastGreenAt === null ? '' : `last good run ${longTime(chain.lastGreenAt)}`,
  ].filter((part) => part !== '');
  const line = parts.join('; ');
  return line === '' ? [] : [`${missing.length === 0 ? line.replace(/^l/, 'L') : line}.`];
};

// The count names the alerts before this one, so this one is the next.
const predecessorLines = ({ predecessor }: MessageItem): readonly string[] => {
  if (predecessor === null) return [];
  const before = `the last one was resolved on ${longTime(predecessor.resolvedAt)}`;
  return predecessor.recentCount > 0
    ? [`Again: ${ordinal(predecessor.recentCount + 1)} time in seven days; ${before}.`]
    : [`Again: ${before}.`];
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const name = (text: string): string => cleanLine(text, nameCharactersMax);
