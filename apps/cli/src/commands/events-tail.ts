import { setTimeout as pause } from 'node:timers/promises';
import { cursorBeforeLatest, readEvents } from '@tocsin/event-store';
import type { StoredEvent } from '@tocsin/event-store';
import { withDatabase } from '../database/with-database.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { eventFacts } from '../printing/event-facts.ts';
import { shortId } from '../printing/job-name.ts';
import { printLines } from '../printing/lines.ts';
import { utcTime } from '../printing/moment.ts';
import { printJsonLine } from '../printing/print-json.ts';
import { fitWidth, padWidth } from '../printing/text-width.ts';
import { idOfStream, kindOfStream } from '../replay/fold-steps.ts';
import type { Invocation, Terminal } from '../terminal.ts';

export interface TailOptions {
  readonly follow?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

const followEveryMs = 1_000;
const eventsPerReadMax = 1_000;
/** Room for the longest name of an event. */
const typeCells = 21;
const positionCells = 9;

/** `tocsin events tail` */
export const tailEvents = (invocation: Invocation, options: TailOptions): Promise<ExitCode> =>
  withDatabase(invocation, async ({ pool }) => {
    const { terminal } = invocation;
    const stop = options.follow === true ? terminal.interruption() : AbortSignal.abort();
    let cursor = await cursorBeforeLatest(pool, options.limit);
    for (;;) {
      const page = await readEvents(pool, { after: cursor, limit: eventsPerReadMax });
      for (const stored of page.events) print(terminal, stored, options.json === true);
      await terminal.drained();
      cursor = page.cursor;
      if (page.events.length === eventsPerReadMax) continue;
      if (stop.aborted) return exitCodes.fine;
      await pause(followEveryMs, undefined, { signal: stop }).catch(() => {});
    }
  });

const print = (terminal: Terminal, stored: StoredEvent, json: boolean): void => {
  const { position, streamId, event } = stored;
  if (json) {
    const { version, eventId, recordedAt } = stored;
    printJsonLine(terminal, { position, streamId, version, eventId, ...event, recordedAt });
    return;
  }
  const about = `${kindOfStream(streamId) ?? 'stream'} ${shortId(idOfStream(streamId))}`;
  const line = `${padWidth(String(position), positionCells, 'right')}  ${utcTime(event.occurredAt)}  ${padWidth(about, 'digest 12345678'.length)}  ${padWidth(event.type, typeCells)}  ${eventFacts(event)}`;
  printLines(terminal, [terminal.columns > 0 ? fitWidth(line, Math.max(terminal.columns, 160)) : line]);
};
