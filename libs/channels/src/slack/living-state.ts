import type { DigestMessage, MessageItem } from '@tocsin/alert-model';
import { cleanLine, counted, formatDuration, shortTime } from '@tocsin/email-templates';

/** What the first message of a conversation shows above all else. */
export interface LivingState {
  /** Nothing told in this conversation is open any more. */
  readonly over: boolean;
  /** Goes before the subject. */
  readonly prefix: string;
  readonly emoji: string;
  /** Plain text, one line, with times. */
  readonly text: string;
}

const nameCharactersMax = 80;

/** How a conversation stands after a message of it: quiet, resolved, escalated, its acknowledgement ended, or open. */
export const livingState = (message: DigestMessage): LivingState => {
  const open = message.threadOpen ?? message.totals.stillOpen;
  const stillOpen = `${counted(open, 'alert')} open`;
  if (message.purpose === 'heartbeat')
    return {
      over: open === 0,
      prefix: '',
      emoji: open === 0 ? 'large_green_circle' : 'large_yellow_circle',
      text: `${open === 0 ? 'Nothing open' : stillOpen} at ${shortTime(message.composedAt)}`,
    };
  const { items } = message;
  if (open === 0 && items.length > 0 && items.every(isOver)) {
    const at = latest(items.flatMap(({ resolution }) => (resolution === null ? [] : [resolution.resolvedAt])));
    const downtimeMs = Math.max(...items.map(({ resolution }) => resolution?.downtimeMs ?? 0));
    return {
      over: true,
      prefix: 'Resolved: ',
      emoji: 'large_green_circle',
      text: `Resolved${at === null ? '' : ` ${shortTime(at)}`}, after ${formatDuration(downtimeMs)}`,
    };
  }
  const since = earliest(items.filter((item) => !isOver(item)).map((item) => item.since));
  const began = since === null ? '' : `, since ${shortTime(since)}`;
  const count = open > 1 ? `; ${stillOpen}` : '';
  const escalation = items.find((item) => item.kind === 'escalated')?.escalation ?? null;
  if (escalation !== null)
    return {
      over: false,
      prefix: '',
      emoji: 'rotating_light',
      text: `Escalated to level ${escalation.level} (${cleanLine(escalation.name, nameCharactersMax)}) ${shortTime(message.composedAt)}${began}${count}`,
    };
  const lapse = items.find((item) => item.kind === 'lapsed')?.lapse ?? null;
  if (lapse !== null)
    return {
      over: false,
      prefix: '',
      emoji: 'red_circle',
      text: `Acknowledgement by ${cleanLine(lapse.by, nameCharactersMax)} ended${began}${count}`,
    };
  const waiting = items.filter((item) => !isOver(item));
  const [first] = waiting;
  const by = first?.acknowledgedBy ?? null;
  const acknowledged = by !== null && waiting.every((item) => item.acknowledgedBy === by);
  return {
    over: false,
    prefix: '',
    emoji: acknowledged ? 'large_blue_circle' : 'red_circle',
    text: `Open, ${message.severity}${began}${acknowledged ? `, acknowledged by ${cleanLine(by, nameCharactersMax)}` : ''}${count}`,
  };
};

const isOver = ({ kind }: MessageItem): boolean => kind === 'resolved' || kind === 'recovered';

// Instants are ISO 8601 in UTC, so their order is that of their texts.
const latest = (instants: readonly string[]): string | null => instants.toSorted().at(-1) ?? null;
const earliest = (instants: readonly string[]): string | null => instants.toSorted()[0] ?? null;
