import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { alertModelVersion, alertStream, digestStream, evolveAlert, parseEvent } from '@tocsin/alert-model';
import type { AlertEvent, AlertId, AlertState, DigestState } from '@tocsin/alert-model';
import { createPostgresStore } from '@tocsin/event-store';
import { createTestDatabase } from '@tocsin/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { failure, openCliWorld, runForTest, success } from './cli-world.fixture.ts';
import type { CliWorld } from './cli-world.fixture.ts';

const database = await createTestDatabase({ empty: true });
const { pool } = database;
const tocsin = (...args: readonly string[]) =>
  runForTest(args, { env: { DATABASE_URL: database.connectionString, JOBS_DATABASE_URL: database.connectionString } });

/** What Tocsin 0.1 brought. */
const migrationsOf01 = [
  '0001_create_event_log',
  '0002_create_read_models',
  '0003_create_ledgers',
  '0004_create_research_jobs',
];
/** What has come since. */
const pending = readdirSync(new URL('../../../migrations/', import.meta.url)).filter(
  (file) => /^\d{4}_\w+\.sql$/.test(file) && !migrationsOf01.includes(file.replace('.sql', '')),
);
const fileOf = (name: string): string =>
  readFileSync(new URL(`../../../migrations/${name}.sql`, import.meta.url), 'utf8');
const storedStream = <Content>(name: string): Content =>
  JSON.parse(
    readFileSync(new URL(`../../../libs/alert-model/fixtures/streams/${name}.json`, import.meta.url), 'utf8'),
  ) as Content;

interface StoredEvent {
  readonly type: string;
  readonly schemaVersion: number;
  readonly occurredAt: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The database gives instants back in microseconds. */
const stored = (instant: string): string => instant.replace('Z', '000Z');
const resolvedAsFolded = storedStream<AlertState>('alert.state');
const resolved: AlertState = { ...resolvedAsFolded, openedAt: stored(resolvedAsFolded.openedAt) };
const digest = storedStream<DigestState>('digest.state');
const alertEvents = storedStream<readonly StoredEvent[]>('alert');
const openId = randomUUID() as AlertId;
const openKey = 'job/apple/refresh_catalog/songs';
/** An alert that is still open: the first event of the stored stream, under another key. */
const openEvents = alertEvents
  .slice(0, 1)
  .map((event) => ({ ...event, data: { ...event.data, alertId: openId, key: openKey, outcomeId: randomUUID() } }));
const openAsFolded = openEvents
  .map((event) => parseEvent(event) as AlertEvent)
  .reduce<AlertState | null>(evolveAlert, null) as AlertState;
const openNow: AlertState = {
  ...openAsFolded,
  openedAt: stored(openAsFolded.openedAt),
  // Its news should have joined a digest at once.
  next: { action: 'rejoin', at: stored(openAsFolded.openedAt) },
};
/** What the model of 0.1 did not know: conditions, repairs, silences, flapping, ladders, what happens next. */
const fieldsSince =
  'suspicions lastRetraction repairs conditions escalations silences flapping openedFlapping bounces next'.split(' ');
/** Saves a state as 0.1 did, into the columns it had. */
const saveAs01 = async (state: AlertState): Promise<void> => {
  const data = Object.fromEntries(Object.entries(state).filter(([field]) => !fieldsSince.includes(field)));
  await pool.query(
    `insert into tocsin.alerts (
       id, key, state, severity, source, job_type, target_id, chain, title, occurrences, escalation_level, opened_at,
       first_failed_at, last_failed_at, notified_at, resolved_at, resolution, version, model_version, data
     )
     select
       id, key, state, severity, source, "jobType", "targetId", chain ->> 'name', title, occurrences, "escalationLevel",
       "openedAt", "firstFailedAt", "lastFailedAt", "notifiedAt", (resolution ->> 'resolvedAt')::timestamptz,
       resolution ->> 'reason', version, 1, $1::jsonb
     from jsonb_to_record($1::jsonb) as saved (
       id uuid, key text, state text, severity text, source text, "jobType" text, "targetId" text, chain jsonb, title text,
       occurrences integer, "escalationLevel" integer, "openedAt" timestamptz, "firstFailedAt" timestamptz,
       "lastFailedAt" timestamptz, "notifiedAt" timestamptz, resolution jsonb, version integer
     )`,
    [JSON.stringify(data)],
  );
};

const append = async (streamId: string, events: readonly StoredEvent[]): Promise<void> => {
  for (const [index, { type, schemaVersion, data, occurredAt }] of events.entries())
    await pool.query(
      `insert into tocsin.events (stream_id, version, event_id, type, schema_version, data, occurred_at)
       values ($1, $2, gen_random_uuid(), $3, $4, $5, $6)`,
      [streamId, index + 1, type, schemaVersion, JSON.stringify(data), occurredAt],
    );
};

/** Every row of every table of ours that 0.1 had, as text of JSON. */
const contents = async (): Promise<ReadonlyMap<string, readonly Readonly<Record<string, unknown>>[]>> => {
  const tables = ['events', 'alerts', 'digests', 'outcomes', 'recent_successes', 'deliveries', 'cursors', 'migrations'];
  const found = new Map<string, readonly Readonly<Record<string, unknown>>[]>();
  for (const table of tables) {
    const { rows } = await pool.query<{ readonly row: Readonly<Record<string, unknown>> }>(
      `select to_jsonb(stored) as row from tocsin.${table} as stored order by to_jsonb(stored)::text`,
    );
    found.set(
      table,
      rows.map(({ row }) => row),
    );
  }
  return found;
};

let world: CliWorld | undefined;
afterAll(() => world?.close());

beforeAll(async () => {
  await pool.query(
    `create schema tocsin;
     create table tocsin.migrations (id serial primary key, name varchar(255) not null, run_on timestamp not null)`,
  );
  for (const name of migrationsOf01) {
    await pool.query(fileOf(name));
    await pool.query('insert into tocsin.migrations (name, run_on) values ($1, now())', [name]);
  }
  await append(alertStream(resolved.id), alertEvents);
  await append(digestStream(digest.id), storedStream<readonly StoredEvent[]>('digest'));
  await append(alertStream(openId), openEvents);
  await saveAs01(resolved);
  await saveAs01(openNow);
  await createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: 1 }).transaction('0.1', (session) =>
    session.saveDigests([digest]),
  );
  await pool.query(
    `insert into tocsin.outcomes (id, job_table, job_id, kind, failed_at, alert_id, disposition, recorded_at)
     select gen_random_uuid(), 'research_jobs', coalesce(disposition, 'undecided'), 'failed', now(), alert, disposition, decided
     from (values
       ('recorded', '${openId}'::uuid, now()), ('ignored', null, now()), ('quarantined', null, now()), (null, null, null)
     ) as kept (disposition, alert, decided)`,
  );
  const past = success({ finishedAt: new Date(Date.now() - 3_600_000).toISOString() });
  await pool.query(
    'insert into tocsin.recent_successes (id, key, finished_at, signal) values (gen_random_uuid(), $1, $2, $3)',
    [openKey, past.finishedAt, JSON.stringify(past)],
  );
  await pool.query(
    `insert into tocsin.cursors (name, changed_at) values ('research_jobs', now());
     insert into tocsin.deliveries (id, digest_id, channel, purpose, state, thread_id, message_id, alert_ids, message, settled_at)
       values (gen_random_uuid(), '${digest.id}', 'email', 'window', 'accepted', gen_random_uuid(), 'm', '{}', '{}', now())`,
  );
});

test('a database of 0.1 is brought up to date with all that it holds, and its old events fold to the model of today', async () => {
  const before = await contents();
  expect(before.get('outcomes')?.map((row) => row['disposition'])).toHaveLength(4);

  expect(await tocsin('migrate', '--check')).toMatchObject({ code: 1 });
  expect((await tocsin('migrate')).out).toMatch(/^applied 0005_watch_conditions\n/);
  const after = await contents();
  for (const [table, rows] of before) {
    const columns = Object.keys(rows[0] ?? {});
    const kept = (after.get(table) ?? []).map((row) =>
      Object.fromEntries(columns.map((column) => [column, row[column]])),
    );
    expect([table, kept]).toEqual([table, expect.arrayContaining([...rows])]);
    expect([table, kept.length]).toEqual([table, rows.length + (table === 'migrations' ? pending.length : 0)]);
  }
  expect(after.get('outcomes')).toMatchObject(
    Array.from({ length: 4 }, () => ({ subject: null, ended_at: null, end_cause: null, end_note: null })),
  );

  expect(await tocsin('migrate')).toMatchObject({
    code: 0,
    out: expect.stringContaining('Nothing was pending') as string,
  });
  expect(await contents()).toEqual(after);
  expect(await tocsin('migrate', '--check')).toMatchObject({ code: 0 });

  // Rows of another model version are named as such, and are no difference.
  expect(await tocsin('replay', '--all', '--verify')).toMatchObject({ code: 0 });
  const today = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });
  expect(await today.read((session) => session.loadAlerts([resolved.id, openId]))).toEqual([resolved, openNow]);
});

test('what the checks refused before is refused still, and what conditions need is let in', async () => {
  await tocsin('migrate');
  const outcome = (columns: string, values: string): Promise<unknown> =>
    pool.query(
      `insert into tocsin.outcomes (id, job_table, job_id, kind, failed_at, ${columns})
       values (gen_random_uuid(), 'research_jobs', '1', 'stuck', now(), ${values})`,
    );
  const refused = { code: '23514' };
  await expect(outcome('disposition, recorded_at', "'forgotten', now()")).rejects.toMatchObject(refused);
  await expect(outcome('disposition, recorded_at', "'recorded', null")).rejects.toMatchObject(refused);
  await expect(outcome('ended_at', 'now()')).rejects.toMatchObject(refused);
  await expect(outcome('ended_at, end_cause', "now(), 'bored'")).rejects.toMatchObject(refused);
  await outcome('disposition, recorded_at', "'held', now()");
  await outcome('subject', "'{}'");
  await expect(outcome('subject', "'{}'")).rejects.toMatchObject({ constraint: 'outcomes_open_conditions' });
  await expect(pool.query('delete from tocsin.events')).rejects.toMatchObject({ code: '23001' });
  // Wider than those they replace, so no row there is has to be read for them.
  const { rows } = await pool.query<{ readonly conname: string }>(
    "select conname from pg_constraint where connamespace = 'tocsin'::regnamespace and not convalidated order by conname",
  );
  expect(rows.map(({ conname }) => conname)).toEqual([
    'deliveries_purpose_check',
    'delivery_attempts_ended',
    'delivery_attempts_outcome_check',
    'digests_purpose_check',
  ]);
  await pool.query("delete from tocsin.outcomes where kind = 'stuck'");
});

test('the first transaction that loads an alert of 0.1 folds it anew and saves it as of today', async () => {
  await tocsin('migrate');
  world = await openCliWorld(database);
  await world.signal(failure());
  const { rows } = await pool.query<{ readonly id: string; readonly model_version: number; readonly data: AlertState }>(
    'select id, model_version, data from tocsin.alerts where state <> $1',
    ['resolved'],
  );
  expect(rows).toMatchObject([
    { id: openId, model_version: alertModelVersion, data: { occurrences: 2, suspicions: {}, repairs: [] } },
  ]);
  expect(await tocsin('replay', '--all', '--verify')).toMatchObject({ code: 0 });
});
