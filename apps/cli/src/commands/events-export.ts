import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { alertStream, digestStream, isAfter } from '@tocsin/alert-model';
import { eventsPerPageMax, readEvents, streamEvents } from '@tocsin/event-store';
import type { GlobalCursor, StoredEvent } from '@tocsin/event-store';
import type { Queryable } from '@tocsin/runtime';
import { requireAlert } from '../database/require-alert.ts';
import { withDatabase } from '../database/with-database.ts';
import type { OpenDatabase } from '../database/with-database.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { counted } from '../printing/lines.ts';
import { bundleLine, bundleVersion } from '../replay/bundle.ts';
import type { BundleHeader } from '../replay/bundle.ts';
import type { Invocation, Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { version } from '../version.ts';

export interface ExportOptions {
  readonly file?: string;
  /** ISO-8601 in UTC. */
  readonly since?: string;
  readonly alert?: string;
}

/** Takes lines; waits when whoever reads them is slower. */
interface Sink {
  readonly write: (line: string) => Promise<void>;
  readonly end: () => Promise<void>;
}

/** `tocsin events export` */
export const exportEvents = (invocation: Invocation, options: ExportOptions): Promise<ExitCode> =>
  withDatabase(invocation, async (database) => {
    const { terminal } = invocation;
    const alertId = options.alert === undefined ? null : (await requireAlert(database.pool, options.alert)).id;
    const header: BundleHeader = {
      tocsin: 'bundle',
      version: bundleVersion,
      exportedAt: database.now,
      tocsinVersion: version(),
      since: options.since ?? null,
      alertId,
    };
    const sink = options.file === undefined ? terminalSink(terminal) : fileSink(options.file);
    await sink.write(JSON.stringify(header));
    let count = 0;
    for await (const stored of alertId === null ? wholeLog(database.pool, options.since) : storyOf(database, alertId)) {
      await sink.write(bundleLine(stored));
      count += 1;
    }
    await sink.end();
    terminal.complain(
      `${counted(count, 'event')} exported${options.file === undefined ? '' : ` to ${options.file}`}.\n`,
    );
    return exitCodes.fine;
  });

/**
 * The log in its global order. With `since`, only streams with an event since then, each from its beginning, because a
 * stream cannot be folded from the middle; for that the log is read twice.
 */
async function* wholeLog(queryable: Queryable, since: string | undefined): AsyncGenerator<StoredEvent> {
  const wanted = new Set<string>();
  if (since !== undefined)
    for await (const { streamId, event } of everyEvent(queryable))
      if (!isAfter(since, event.occurredAt)) wanted.add(streamId);
  for await (const stored of everyEvent(queryable))
    if (since === undefined || wanted.has(stored.streamId)) yield stored;
}

async function* everyEvent(queryable: Queryable): AsyncGenerator<StoredEvent> {
  let after: GlobalCursor | null = null;
  for (;;) {
    const page: Awaited<ReturnType<typeof readEvents>> = await readEvents(queryable, {
      after,
      limit: eventsPerPageMax,
    });
    yield* page.events;
    if (page.events.length < eventsPerPageMax) return;
    after = page.cursor;
  }
}

/** An alert and the digests it was in, in the order of the log. */
async function* storyOf(
  { pool }: OpenDatabase,
  alertId: Parameters<typeof alertStream>[0],
): AsyncGenerator<StoredEvent> {
  const own = await streamEvents(pool, alertStream(alertId));
  const digestIds = new Set(own.flatMap(({ event }) => (event.type === 'AlertBatched' ? [event.data.digestId] : [])));
  const all = [...own];
  for (const digestId of digestIds) all.push(...(await streamEvents(pool, digestStream(digestId))));
  yield* all.toSorted((a, b) => a.position - b.position);
}

const terminalSink = (terminal: Terminal): Sink => ({
  write: (line) => {
    terminal.write(`${line}\n`);
    return terminal.drained();
  },
  end: () => terminal.drained(),
});

const fileSink = (file: string): Sink => {
  const stream = createWriteStream(file, { mode: 0o600 });
  const ended = finished(stream).catch((error: unknown) => {
    throw new UsageError(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}.`);
  });
  // Seen by whichever write or end comes next.
  ended.catch(() => {});
  return {
    write: async (line) => {
      if (!stream.write(`${line}\n`)) await Promise.race([once(stream, 'drain').catch(() => ended), ended]);
    },
    end: () => {
      stream.end();
      return ended;
    },
  };
};
