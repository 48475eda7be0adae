import { eventFacts } from '../printing/event-facts.ts';
import { utcTime } from '../printing/moment.ts';
import { tableLines } from '../printing/table.ts';
import type { FoldStep } from './fold-steps.ts';

/** Facts longer than this are cut; `--json` has all. */
const factsCharsMax = 160;

/** One line per event: position, time, type, state before and after, and what it says. */
export const stepLines = (steps: readonly FoldStep[]): readonly string[] =>
  tableLines(
    [
      { title: 'POSITION', align: 'right' },
      { title: 'TIME (UTC)' },
      { title: 'EVENT' },
      { title: 'STATE' },
      { title: 'FACTS', max: factsCharsMax },
    ],
    steps.map(({ stored: { position, event }, before, after }) => [
      String(position),
      utcTime(event.occurredAt),
      event.type,
      `${before?.state ?? 'absent'} → ${after.state}`,
      eventFacts(event),
    ]),
    Number.POSITIVE_INFINITY,
  );

/** The same for programs. */
export const stepsAsData = (steps: readonly FoldStep[]): readonly unknown[] =>
  steps.map(({ stored: { position, version, eventId, event }, before, after }) => ({
    position,
    version,
    eventId,
    occurredAt: event.occurredAt,
    type: event.type,
    before: before?.state ?? 'absent',
    after: after.state,
    facts: eventFacts(event),
    data: event.data,
  }));
