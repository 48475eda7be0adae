import type { MessageItem } from '@tocsin/alert-model';
import { cleanLine } from './clean-text.ts';
import { counted, listed, ordinal } from './format-count.ts';
import { formatDuration, longTime, timeNear } from './format-time.ts';

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
    ...resolutionLines(item),
    ...chainLines(item),
    ...predecessorLines(item),
    ...noteLines(item),
  ].filter((line) => line !== '');

/** What was odd about the rows themselves, said once each. */
const noteLines = (item: MessageItem): readonly string[] => {
  const notes = new Set(item.causes.flatMap((cause) => cause.jobs.flatMap((job) => job.notes)));
  return [...notes].slice(0, notesShownMax).map((note) => `Note: ${cleanLine(note, noteCharactersMax)}`);
};

const escalationLines = ({ escalation, since }: MessageItem): readonly string[] => {
  if (escalation === null) return [];
  const told = escalation.toldBefore.map(({ channel, at }) => `${name(channel)} at ${timeNear(at, since)}`);
  return [
    `Nobody acknowledged within ${formatDuration(escalation.afterMs)}, so this goes to level ${escalation.level} (${name(escalation.name)}).`,
    told.length === 0 ? '' : `Told before: ${listed(told, toldShownMax)}.`,
  ];
};

const lapseLines = ({ lapse }: MessageItem): readonly string[] => {
  if (lapse === null) return [];
  const who = `Acknowledged by ${name(lapse.by)} on ${longTime(lapse.acknowledgedAt)}`;
  switch (lapse.reason) {
    case 'time':
      return [`${who} until a set time: that ended, and it still fails.`];
    case 'signature-change':
      return [`${who} until the error changes: that ended, it now fails with a different error.`];
    default:
      return [lapse.reason satisfies never];
  }
};

const resolutionLines = (item: MessageItem): readonly string[] => {
  const { resolution } = item;
  if (resolution === null) return [];
  const down = formatDuration(resolution.downtimeMs);
  if (item.kind === 'recovered')
    return [
      `Failed at ${timeNear(item.since, resolution.resolvedAt)}, recovered at ${timeNear(resolution.resolvedAt, item.since)}: ${reasonText(resolution)}.`,
    ];
  if (resolution.reason === 'operator')
    return [
      `Closed by ${resolution.by === null ? 'an operator' : name(resolution.by)} on ${longTime(resolution.resolvedAt)}, without a success.`,
      `Open for ${down}, ${counted(item.occurrences, 'failure')}.`,
    ];
  return [
    `Working again since ${longTime(resolution.resolvedAt)}: ${reasonText(resolution)}.`,
    `Down for ${down}, ${counted(item.occurrences, 'failure')}.`,
  ];
};

const reasons: Readonly<Record<string, string>> = {
  succeeded: 'the job succeeded',
  'chain-run-green': 'a whole later run of the chain succeeded',
  'failed-steps-succeeded': 'every failed step has succeeded since',
};

const reasonText = (resolution: { readonly reason: string; readonly by: string | null }): string => {
  if (resolution.reason === 'operator')
    return resolution.by === null ? 'resolved by hand' : `resolved by hand by ${name(resolution.by)}`;
  return Object.hasOwn(reasons, resolution.reason) ? (reasons[resolution.reason] ?? '') : name(resolution.reason);
};

const chainLines = ({ chain, kind }: MessageItem): readonly string[] => {
  if (chain === null || kind === 'recovered' || kind === 'resolved') return [];
  const parts = [
    chain.missing.length === 0 ? '' : `${listed(chain.missing.map(name), missingShownMax)} did not run`,
    chain.lastGreenAt === null ? '' : `last good run ${longTime(chain.lastGreenAt)}`,
  ].filter((part) => part !== '');
  const line = parts.join('; ');
  return line === '' ? [] : [`${chain.missing.length === 0 ? line.replace(/^l/, 'L') : line}.`];
};

// The count names the alerts before this one, so this one is the next.
const predecessorLines = ({ predecessor }: MessageItem): readonly string[] => {
  if (predecessor === null) return [];
  const before = `the last one was resolved on ${longTime(predecessor.resolvedAt)}`;
  return predecessor.recentCount > 0
    ? [`Again: ${ordinal(predecessor.recentCount + 1)} time in seven days; ${before}.`]
    : [`Again: ${before}.`];
};

const name = (text: string): string => cleanLine(text, nameCharactersMax);
