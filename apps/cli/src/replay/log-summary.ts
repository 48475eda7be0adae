import type { AlertState, DigestState } from '@tocsin/alert-model';
import type { StoredEvent } from '@tocsin/event-store';
import { counted } from '../printing/lines.ts';
import type { FoldedStream } from './fold-log.ts';
import { kindOfStream } from './fold-steps.ts';

/** What a whole log folds to, in numbers. */
export interface LogSummary {
  readonly events: number;
  readonly eventsByType: Readonly<Record<string, number>>;
  readonly alerts: Readonly<Record<string, number>>;
  readonly digests: Readonly<Record<string, number>>;
  /** Streams that could not be folded. */
  readonly problems: readonly string[];
}

const problemsNamedMax = 20;

/** Counts events and the states that streams end in. */
export interface SummaryBuilder {
  readonly addEvent: (stored: StoredEvent) => void;
  readonly addStreams: (streams: readonly FoldedStream[]) => void;
  readonly build: () => LogSummary;
}

export const createSummary = (): SummaryBuilder => {
  const types = new Map<string, number>();
  const states = { alert: new Map<string, number>(), digest: new Map<string, number>() };
  const problems: string[] = [];
  let events = 0;
  return {
    addEvent: ({ event }) => {
      events += 1;
      increment(types, event.type);
    },
    addStreams: (streams) => {
      for (const { streamId, state, problem } of streams) {
        const kind = kindOfStream(streamId);
        if (problem !== null && problems.length < problemsNamedMax) problems.push(`${streamId}: ${problem}`);
        if (kind !== null && state !== null) increment(states[kind], (state satisfies AlertState | DigestState).state);
      }
    },
    build: () => ({
      events,
      eventsByType: sorted(types),
      alerts: sorted(states.alert),
      digests: sorted(states.digest),
      problems,
    }),
  };
};

/** The summary for people. */
export const summaryLines = ({ events, eventsByType, alerts, digests }: LogSummary): readonly string[] => [
  `${counted(events, 'event')}`,
  ...columnLines(eventsByType),
  `${counted(sum(alerts), 'alert')}`,
  ...columnLines(alerts),
  `${counted(sum(digests), 'digest')}`,
  ...columnLines(digests),
];

const columnLines = (counts: Readonly<Record<string, number>>): readonly string[] =>
  Object.entries(counts).map(([name, count]) => `  ${String(count).padStart(10)}  ${name}`);

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

const increment = (counts: Map<string, number>, name: string): void =>
  void counts.set(name, (counts.get(name) ?? 0) + 1);

const sorted = (counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> =>
  Object.fromEntries([...counts].toSorted(([, a], [, b]) => b - a));
