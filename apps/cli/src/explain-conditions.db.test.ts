import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import type { FailureSignal } from '@tocsin/alert-model';
import { toPolicy } from '@tocsin/alert-service';
import { createPostgresStore } from '@tocsin/event-store';
import { findMapping, inspectTable, readFailures } from '@tocsin/job-sources';
import { loadConfig } from '@tocsin/runtime';
import { createTestDatabase, insertFailedResearchJob } from '@tocsin/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyFolder, failure, immediate, openCliWorld, runForTest } from './cli-world.fixture.ts';
import type { CliWorld } from './cli-world.fixture.ts';

const database = await createTestDatabase();
const store = createPostgresStore({ pool: database.pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });

const cwd = emptyFolder();
writeFileSync(
  join(cwd, 'tocsin.yaml'),
  `version: 1
rules:
  - { match: { job_type: resize }, threshold: { in_a_row: 3 } }
  - { match: { job_type: pdf }, stuck_after: 15m, on_stuck: requeue }
  - { match: { job_type: noise }, ignore: true }
`,
);
const env = { DATABASE_URL: database.connectionString };
const explain = async (...args: readonly string[]): Promise<string> =>
  (await runForTest(['alerts', 'explain', ...args], { env, cwd })).out;
const explainJson = async (...args: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse(await explain(...args, '--json')) as Record<string, unknown>;

let world: CliWorld;
beforeEach(async () => {
  world = await openCliWorld(database, { rules: toPolicy(loadConfig({ env, cwd })).rules, routes: [immediate()] });
});
afterEach(() => world.close());

const words = 'No heartbeat for 16 min; jobs of this type may be silent for 15 min (rules[1]).';

/** A job that the detector found stuck: announced, then signalled. */
async function stuck(): Promise<FailureSignal> {
  const signal = failure({
    kind: 'stuck',
    jobType: 'pdf',
    targetId: randomUUID(),
    error: words,
    failedAt: new Date(Date.now() - 60_000).toISOString(),
  });
  const { outcomeId: id, table, jobId, kind, failedAt, source, jobType, targetId } = signal;
  await store.transaction('test.announce', (session) =>
    session.announceOutcomes([
      { id, table, jobId, kind, failedAt, subject: { source, jobType, targetId, run: null, facts: {} } },
    ]),
  );
  await world.signal(signal);
  return signal;
}

test('a failure below its threshold is explained by how far it is and by which rule', async () => {
  const targetId = randomUUID();
  const first = failure({ jobType: 'resize', targetId, failedAt: new Date(Date.now() - 2_000).toISOString() });
  const second = failure({ jobType: 'resize', targetId });
  await world.signal(first);
  expect(await explain('--job', first.jobId)).toContain('held: 1 of 3 in a row, rules[0]');
  await world.signal(second);
  for (const { jobId } of [first, second])
    expect(await explain('--job', jobId)).toMatch(
      /held: 2 of 3 in a row, rules\[0\], key job\/apple\/resize\/.*; told with the others when the threshold is reached; let go of .* \(in 1[34] d.*\) if it is not/,
    );
  expect(await explainJson('--job', first.jobId)).toMatchObject({ outcomes: [{ disposition: 'held' }], alerts: [] });
});

test('a failure that was ignored names the rule that ignores it, as long as its row says the same', async () => {
  const id = await insertFailedResearchJob(database.pool, { job_type: 'noise' });
  const mapping = findMapping('research_jobs');
  if (mapping === undefined) throw new Error('no mapping');
  const table = { name: 'research_jobs', table: 'public.research_jobs' };
  const { source } = await inspectTable(database.pool, mapping, table);
  if (source === null) throw new Error('no source');
  await world.signal(...(await readFailures(database.pool, source, [id])));
  expect(await explain('--job', id)).toMatch(/not told, because rules\[2\] ignores it$/m);
  await database.pool.query('delete from public.research_jobs where id = $1', [id]);
  expect(await explain('--job', id)).toContain('a rule with "ignore: true" matched when it was recorded');
});

test('a condition that holds is explained with its limit, what it waits for, and what the janitor would do', async () => {
  const { jobId, outcomeId } = await stuck();
  const out = await explain('--job', jobId);
  expect(out).toMatch(/stuck since .*, and still so: recorded in alert .*told on route default/);
  expect(out).toContain(words);
  expect(out).toContain(`waits for: job ${jobId} to show a sign of life or to end (it is stuck)`);
  expect(out).toContain(
    'the rule says that the janitor puts it back into the queue if its checkpoint is valid, at most 3 times, but it has no connection for table research_jobs (JANITOR_DATABASE_URL)',
  );
  const withJanitor = await runForTest(['alerts', 'explain', '--job', jobId], {
    env: { ...env, JANITOR_DATABASE_URL: database.connectionString },
    cwd,
  });
  expect(withJanitor.out).toContain(`at most 3 times at the detector's next look (job ${jobId})`);
  expect(await explainJson('--job', jobId)).toMatchObject({
    outcomes: [{ kind: 'stuck', condition: { endedAt: null } }],
    alerts: [{ conditions: [{ outcomeId, kind: 'stuck', jobId, words }] }],
  });
});

test('a condition that ended is explained by how, and its alert by the retraction', async () => {
  const { jobId, outcomeId, table } = await stuck();
  const endedAt = new Date().toISOString();
  const end = { cause: 'alive', note: 'a heartbeat again', endedAt } as const;
  await store.transaction('test.end', (session) => session.endConditions([{ id: outcomeId, ...end }]));
  await world.signal({
    v: 1,
    signal: 'ConditionEnded',
    outcomeId,
    table,
    jobId,
    kind: 'stuck',
    ...end,
    observedAt: endedAt,
  });
  const out = await explain('--job', jobId);
  expect(out).toMatch(/stuck from .* UTC until .* \(a heartbeat again\): recorded in alert/);
  expect(out).toMatch(/FailureRetracted: stuck no more since .*: a heartbeat again/);
  expect(out).not.toContain('Still so');
  expect(await explainJson('--job', jobId)).toMatchObject({
    outcomes: [{ condition: { cause: 'alive', note: 'a heartbeat again' } }],
    alerts: [{ state: 'resolved', conditions: [] }],
  });
});

test('what the janitor did is told', async () => {
  const { jobId, outcomeId, table } = await stuck();
  const repair = { id: randomUUID(), outcomeId, table, jobId, action: 'requeue', restart: 1 } as const;
  await store.transaction('test.intend', (session) => session.intendRepair(repair));
  expect(await explain('--job', jobId)).toContain(
    'the janitor began to repair it (requeue), and how that ended is not known',
  );
  const at = new Date().toISOString();
  await store.transaction('test.settle', (session) => session.settleRepair(repair.id, 'done', null));
  await world.signal({
    v: 1,
    signal: 'JobRepaired',
    outcomeId,
    repairId: repair.id,
    table,
    jobId,
    action: 'requeue',
    result: 'done',
    reason: null,
    restart: 1,
    actedAt: at,
    observedAt: at,
  });
  const out = await explain('--job', jobId);
  expect(out).toContain('the janitor put it back into the queue, restart 1');
  expect(out).toMatch(/JobRepaired: requeue, restart 1, job .*: done/);
  expect(out).not.toContain('the rule says that the janitor');
  expect(await explainJson('--job', jobId)).toMatchObject({
    repairs: [{ action: 'requeue', state: 'done', restart: 1 }],
  });
});
