import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { emptyFolder, failure, openCliWorld, runForTest } from './cli-world.fixture.ts';
import type { CliWorld } from './cli-world.fixture.ts';
import { verifyLog } from './replay/verify-log.ts';

const database = await createTestDatabase();
let world: CliWorld;
afterEach(() => world.close());

interface ReplayedStep {
  readonly position: number;
  readonly type: string;
  readonly before: string;
  readonly after: string;
  readonly occurredAt: string;
}
const stepsOf = async (...args: readonly string[]): Promise<readonly ReplayedStep[]> =>
  (JSON.parse((await world.tocsin('replay', '--json', ...args)).out) as { steps: ReplayedStep[] }).steps;

/** An alert that was told, taken, and closed. */
const wholeStory = async (source: string): Promise<string> => {
  const key = `job/${source}/refresh_catalog/songs`;
  await world.signal(failure({ source }));
  await world.tocsin('alerts', 'ack', key, '--by', 'anna');
  await world.tocsin('alerts', 'resolve', key, '--by', 'anna');
  await world.run();
  return key;
};

test('story 36: replay shows each event of an alert with the state before and after', async () => {
  world = await openCliWorld(database);
  const key = await wholeStory('story');
  expect((await stepsOf(key)).map(({ type, before, after }) => `${before} ${type} ${after}`)).toEqual([
    'absent FailureDetected detected',
    'detected AlertBatched batched',
    'batched AlertNotified notified',
    'notified AlertAcknowledged acknowledged',
    'acknowledged AlertResolved resolved',
    'resolved AlertBatched resolved',
    'resolved ResolutionNotified resolved',
  ]);
  const { code, out } = await world.tocsin('replay', key);
  expect(code).toBe(0);
  expect(out).toMatch(/\n +\d+ {2}\S+ \S+ {2}AlertAcknowledged +notified → acknowledged {2}by anna via cli/);
});

test('replay stops at any moment, by time or by position', async () => {
  world = await openCliWorld(database);
  const key = await wholeStory('stops');
  const steps = await stepsOf(key);
  const third = steps[2];
  if (third === undefined) throw new Error('no third event');
  expect(await stepsOf(key, '--position', String(third.position))).toHaveLength(3);
  expect((await stepsOf(key, '--until', third.occurredAt)).at(-1)).toMatchObject({
    type: 'AlertNotified',
    after: 'notified',
  });
  expect((await world.tocsin('replay', key, '--until', '2020-01-01')).out).toContain('nothing had happened');
});

test('the whole log is folded and counted', async () => {
  world = await openCliWorld(database);
  await wholeStory('counted');
  const { code, out } = await world.tocsin('replay', '--all', '--json');
  expect(code).toBe(0);
  const { rows } = await database.pool.query<{ events: number; alerts: number }>(
    'select (select count(*)::integer from tocsin.events) as events, (select count(*)::integer from tocsin.alerts) as alerts',
  );
  const summary = JSON.parse(out) as { events: number; alerts: Record<string, number>; problems: unknown[] };
  expect(summary).toMatchObject({ events: rows[0]?.events, problems: [] });
  expect(Object.values(summary.alerts).reduce((sum, count) => sum + count, 0)).toBe(rows[0]?.alerts);
});

test('G4: folding the log gives byte for byte the read models, also after a storm', async () => {
  world = await openCliWorld(database);
  await world.signal(
    ...Array.from({ length: 400 }, (_, index) =>
      failure({ source: 'storm', targetId: `t${index % 150}`, error: `E${index % 5}: no` }),
    ),
  );
  const { code, out } = await world.tocsin('replay', '--all', '--verify', '--json');
  expect(JSON.parse(out)).toMatchObject({ ok: true, differences: 0, outdated: 0 });
  expect(code).toBe(0);
});

test('verify finds what was changed behind the back of the log, names it, and exits 1', async () => {
  world = await openCliWorld(database);
  const key = await wholeStory('tampered');
  const alertOf = `where key = '${key}'`;
  const verified = async (...args: readonly string[]): Promise<string> => {
    const { code, out } = await world.tocsin('replay', '--verify', ...args);
    expect(code).toBe(1);
    return out;
  };
  await database.pool.query(`update tocsin.alerts set data = jsonb_set(data, '{occurrences}', '7') ${alertOf}`);
  expect(await verified(key)).toContain('columns that are not what data says: occurrences');
  await database.pool.query(`update tocsin.alerts set occurrences = 7 ${alertOf}`);
  expect(await verified('--all')).toMatch(/1 difference .*\n +alert \S+: data\.occurrences: 1 against 7/);
  await database.pool.query(
    `update tocsin.alerts set occurrences = 1, data = jsonb_set(data, '{occurrences}', '1') ${alertOf}`,
  );
  expect((await world.tocsin('replay', '--all', '--verify')).code).toBe(0);

  await database.pool.query(`create table kept as select * from tocsin.alerts ${alertOf}`);
  await database.pool.query(`delete from tocsin.alerts ${alertOf}`);
  expect(await verified('--all')).toContain('the log has 7 events, and there is no row');
  await database.pool.query('insert into tocsin.alerts select * from kept');
  await database.pool.query(
    `insert into tocsin.alerts select (jsonb_populate_record(kept, jsonb_build_object('id', gen_random_uuid()))).* from kept`,
  );
  expect(await verified('--all')).toContain('there is a row, but no event in the log');
  await database.pool.query(
    `delete from tocsin.alerts ${alertOf}; insert into tocsin.alerts select * from kept; drop table kept`,
  );
  expect((await world.tocsin('replay', '--all', '--verify')).code).toBe(0);
});

test('a row of another version of the model is not compared', async () => {
  world = await openCliWorld(database);
  const key = await wholeStory('outdated');
  await database.pool.query(`update tocsin.alerts set model_version = 99 where key = $1`, [key]);
  const { out } = await world.tocsin('replay', '--all', '--verify', '--json');
  expect(JSON.parse(out)).toMatchObject({ ok: true, outdated: 1 });
  await database.pool.query(`update tocsin.alerts set model_version = 1 where key = $1`, [key]);
});

test('verifying while others append gives no false alarm', async () => {
  world = await openCliWorld(database);
  let done = false;
  const writing = (async () => {
    for (let round = 0; round < 15; round += 1)
      await world.signal(
        ...Array.from({ length: 20 }, (_, index) => failure({ source: 'busy', targetId: `t${index}` })),
      );
  })().finally(() => {
    done = true;
  });
  let verified = 0;
  while (!done) {
    expect(await verifyLog(database.pool)).toMatchObject({ differences: 0 });
    verified += 1;
  }
  await writing;
  expect(verified).toBeGreaterThan(0);
});

test('story 36: an exported bundle replays the same without a database', async () => {
  world = await openCliWorld(database);
  const key = await wholeStory('bundle');
  const cwd = emptyFolder();
  const file = join(cwd, 'bundle.ndjson');
  expect(await world.tocsin('events', 'export', '--alert', key, '--file', file)).toMatchObject({ code: 0, out: '' });
  const [header, ...lines] = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(header).toMatchObject({ tocsin: 'bundle', version: 1, exportedAt: expect.any(String) });
  // The seven events of the alert, and those of the two digests it was in.
  expect(lines.filter(({ streamId }) => streamId.startsWith('alert-'))).toHaveLength(7);
  expect(new Set(lines.map(({ streamId }) => streamId)).size).toBe(3);

  const offline = await runForTest(['replay', '--file', file, '--json'], { cwd });
  expect(offline).toMatchObject({ code: 0, err: '' });
  expect(offline.out).toBe((await world.tocsin('replay', key, '--json')).out);
  expect(
    JSON.parse((await runForTest(['replay', key, '--file', file, '--json', '--position', '0'], { cwd })).out),
  ).toMatchObject({ steps: [] });
  expect((await runForTest(['replay', '--all', '--file', file], { cwd })).out).toContain('1 alert\n');
});

test('the whole log and what happened since a moment are exported with whole streams', async () => {
  world = await openCliWorld(database);
  const key = await wholeStory('whole');
  const { rows } = await database.pool.query<{ id: string }>('select id from tocsin.alerts where key = $1', [key]);
  // The horizon of the log is that of the whole cluster, where other test files have transactions of their own.
  const all = await vi.waitUntil(async () => {
    const { out } = await world.tocsin('events', 'export');
    return out.includes(`alert-${rows[0]?.id}`) && out.includes('ResolutionNotified') ? out : undefined;
  });
  const file = join(emptyFolder(), 'all.ndjson');
  writeFileSync(file, all);
  expect((await runForTest(['replay', '--file', file])).code).toBe(0);
  expect((await runForTest(['replay', '--file', file, key.slice(0, 4)])).err).toContain('holds no alert');
  expect((await world.tocsin('events', 'export', '--since', '2999-01-01')).out.trimEnd().split('\n')).toHaveLength(1);
});

test.each([
  ['is not there', undefined, 'cannot be read'],
  ['is empty', '', 'is empty'],
  ['is something else', '{"a":1}\n', 'is no bundle'],
  ['is of a newer version', '{"tocsin":"bundle","version":2}\n', 'is a bundle of version 2'],
  ['was cut off', '{"tocsin":"bundle","version":1}\n{"position":1,"str', 'line 2, is no JSON object'],
])('a bundle that %s is refused in one sentence', async (_, content, message) => {
  const file = join(emptyFolder(), 'bundle.ndjson');
  if (content !== undefined) writeFileSync(file, content);
  const { code, err } = await runForTest(['replay', '--file', file]);
  expect(code).toBe(2);
  expect(err).toContain(message);
  expect(err).not.toContain('    at ');
});

test('the tail of the log shows the latest events and goes on until it is interrupted', async () => {
  world = await openCliWorld(database);
  await wholeStory('tail');
  const tail = async (limit: number): Promise<readonly { type: string; position: number }[]> =>
    (await world.tocsin('events', 'tail', '--limit', String(limit), '--json')).out
      .trimEnd()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  await vi.waitUntil(
    async () => (await tail(1))[0]?.type === 'DigestDelivered' || (await tail(1))[0]?.type === 'ResolutionNotified',
  );
  const events = await tail(5);
  expect(events).toHaveLength(5);
  expect(events.map(({ position }) => position)).toEqual(
    events.map(({ position }) => position).toSorted((a, b) => a - b),
  );

  const interrupted = new AbortController();
  const following = runForTest(['events', 'tail', '--follow', '--limit', '0', '--json'], {
    env: { DATABASE_URL: database.connectionString },
    signal: interrupted.signal,
  });
  await world.signal(failure({ source: 'followed' }));
  await vi.waitUntil(async () => (await tail(20)).length === 20);
  interrupted.abort();
  expect((await following).code).toBe(0);
});
