import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { evolveAlert, evolveDigest } from '@tocsin/alert-model';
import type { AlertEvent, AlertState, DigestEvent, DigestState } from '@tocsin/alert-model';
import { eventsPerPageMax, readEvents, readModels } from '@tocsin/event-store';
import type { GlobalCursor, ModelCursor, StoredEvent } from '@tocsin/event-store';
import type { Bench, Finding } from '../bench.ts';
import { formatCount, formatRatio, formatSeconds } from '../measure/format.ts';
import { median } from '../measure/quantile.ts';
import type { Lab, LabDatabase } from '../world/lab.ts';
import { programOf } from '../world/worker.ts';
import { storm } from './storm.ts';

const runsMeasured = 3;
const foldedPerSecondBudget = 100_000;
const verifyRatioBudget = 2;
const modelsPerPage = 5_000;
const outputBytesMax = 64 * 1_048_576;

/** How fast the log of a storm is folded again, and compared with the read models. */
export const replay: Bench = {
  name: 'replay',
  summary:
    'the log of a storm, whole; medians of 3; reading = the same events and read models without parsing or folding',
  run: async (lab, options) => {
    if (lab.stormDatabase === null) await storm.run(lab, { ...options, runs: 1 });
    const database = lab.stormDatabase;
    if (database === null) throw new Error('The storm left no log behind.');
    const { events, parsedMs, foldMs } = await measureFold(database);
    const perSecond = events / (foldMs / 1_000);
    return [
      { what: 'events in the log', result: formatCount(events) },
      {
        what: 'fold, pure, events per second',
        result: formatCount(perSecond),
        budget: `>= ${formatCount(foldedPerSecondBudget)}`,
        kept: perSecond >= foldedPerSecondBudget,
      },
      {
        what: 'reading events, each parsed and checked',
        result: `${formatSeconds(parsedMs)} = ${formatCount(events / (parsedMs / 1_000))} events/s`,
      },
      ...(await measureVerify(lab, database, events)),
    ];
  },
};

/** Returns numbers only, so that the events are not in the way of what is measured next. */
const measureFold = async (database: LabDatabase) => {
  const { events, parsedMs } = await readParsed(database);
  const times: number[] = [];
  for (let run = 0; run < runsMeasured; run += 1) times.push(await timed(async () => fold(events)));
  return { events: events.length, parsedMs, foldMs: median(times) };
};

const measureVerify = async (lab: Lab, database: LabDatabase, events: number): Promise<readonly Finding[]> => {
  const cwd = await lab.newDirectory('replay');
  const env = { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', DATABASE_URL: database.connectionString };
  const cli = (...args: readonly string[]) =>
    promisify(execFile)(process.execPath, [programOf('cli'), 'replay', '--all', ...args], {
      cwd,
      env,
      maxBuffer: outputBytesMax,
    });
  const what = 'tocsin replay --all --verify';
  const budget = `<= ${formatRatio(verifyRatioBudget)} reading`;
  const reads: number[] = [];
  const verifies: number[] = [];
  try {
    for (let run = 0; run < runsMeasured; run += 1) {
      // One after the other in each round, so that both meet the same load.
      reads.push(await timed(() => readRaw(database)));
      const startMs = await timed(() => cli('--position', '0'));
      verifies.push((await timed(() => cli('--verify'))) - startMs);
    }
  } catch (error) {
    const lines = error instanceof Error ? error.message.split('\n') : [String(error)];
    const said = lines.find((line) => !line.startsWith('Command failed')) ?? '';
    return [{ what, result: `failed: ${said.slice(0, 100)}`, budget, kept: false }];
  }
  const ratio = median(verifies.map((ms, run) => ms / (reads[run] ?? Number.NaN)));
  const ms = median(verifies);
  return [
    { what: 'reading events and read models', result: formatSeconds(median(reads)) },
    {
      what: `${what}, without the start of the program`,
      result: `${formatSeconds(ms)} = ${formatCount(events / (ms / 1_000))} events/s`,
    },
    { what: `${what} against reading`, result: formatRatio(ratio), budget, kept: ratio <= verifyRatioBudget },
  ];
};

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
};

const readParsed = async ({
  pool,
}: LabDatabase): Promise<{ readonly events: readonly StoredEvent[]; readonly parsedMs: number }> => {
  const events: StoredEvent[] = [];
  const startedMs = performance.now();
  for (let after: GlobalCursor | null = null; ;) {
    const page = await readEvents(pool, { after, limit: eventsPerPageMax });
    if (page.events.length === 0) return { events, parsedMs: performance.now() - startedMs };
    events.push(...page.events);
    after = page.cursor;
  }
};

/** The rows that a verification has to read, in the same order and in pages of the same size, and nothing else. */
const readRaw = async ({ pool }: LabDatabase): Promise<void> => {
  let after: { readonly transaction: string; readonly position: number | string } = { transaction: '0', position: 0 };
  for (;;) {
    const { rows } = await pool.query<typeof after>(
      `select
         transaction_id::text as transaction, position, stream_id, version, event_id, type, schema_version, data, metadata,
         occurred_at, recorded_at
       from tocsin.events
       where (transaction_id, position) > ($1::xid8, $2::bigint)
       order by transaction_id, position
       limit $3`,
      [after.transaction, after.position, eventsPerPageMax],
    );
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last;
  }
  for (let next: ModelCursor | null = null; ;) {
    const page = await readModels(pool, { after: next, limit: modelsPerPage });
    next = page.next;
    if (next === null) return;
  }
};

/** Folds everything, into one state per stream as a verification does. @returns streams folded */
const fold = (events: readonly StoredEvent[]): number => {
  const alerts = new Map<string, AlertState>();
  const digests = new Map<string, DigestState>();
  for (const { streamId, event } of events) {
    if (streamId.startsWith('alert-'))
      alerts.set(streamId, evolveAlert(alerts.get(streamId) ?? null, event as AlertEvent));
    else digests.set(streamId, evolveDigest(digests.get(streamId) ?? null, event as DigestEvent));
  }
  return alerts.size + digests.size;
};
