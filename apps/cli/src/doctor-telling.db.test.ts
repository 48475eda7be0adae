import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canaryChannel, canaryRoute, canaryTable, ownSource } from '@tocsin/alert-model';
import { settleProviderEvents } from '@tocsin/alert-service';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyFolder, emptyTables, failure, immediate, openCliWorld, runForTest } from './cli-world.fixture.ts';
import type { CliWorld } from './cli-world.fixture.ts';
import type { Finding } from './doctor/finding.ts';

const database = await createTestDatabase();
let world: CliWorld;
beforeEach(async () => {
  world = await openCliWorld(database, {}, { recipients: { email: 2 } });
});
afterEach(async () => {
  await world.close();
  await emptyTables(database);
});

/** An address where nothing listens, so that no mail can leave. */
const mail = {
  SENDGRID_API_KEY: 'SG.a-key',
  SENDGRID_BASE_URL: 'http://127.0.0.1:1',
  ALERT_EMAIL_TO: 'ada@example.com',
  ALERT_EMAIL_FROM: 'tocsin@example.com',
};
const examine = async (
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly of: (check: string) => readonly Finding[] }> => {
  const { code, out } = await runForTest(['doctor', '--json'], {
    env: { DATABASE_URL: database.connectionString, ...mail, ...env },
  });
  const { findings } = JSON.parse(out) as { readonly findings: readonly Finding[] };
  return { code, of: (check) => findings.filter((finding) => finding.check === check) };
};

test('where all is well the channels, silences, audit and canaries are fine, and only the dead-man is missed', async () => {
  const { code, of } = await examine();
  expect(code).toBe(0);
  expect(of('channels')).toContainEqual(
    expect.objectContaining({ status: 'ok', message: 'none is parked, each may be tried' }),
  );
  expect(of('silences')).toEqual([{ check: 'silences', status: 'ok', message: 'nothing is muted' }]);
  expect(of('audit')).toMatchObject([{ status: 'ok' }]);
  expect(of('canary')).toMatchObject([{ status: 'ok', message: expect.stringContaining('none was sent yet') }]);
  expect(of('dead-man')).toMatchObject([{ status: 'warn', cure: expect.stringContaining('set DEADMAN_URL') }]);
  const withDeadman = await examine({ DEADMAN_URL: 'https://hc-ping.com/hush-hush', SENDGRID_WEBHOOK_KEY: '' });
  expect(withDeadman.of('dead-man')).toEqual([
    { check: 'dead-man', status: 'ok', message: 'hc-ping.com is asked after each clean audit, every 1 min' },
  ]);
});

test('a parked channel fails, with what its provider said and how to try it', async () => {
  world.script.set('email', { outcome: 'rejected', reason: 'unauthorized', status: 401, detail: 'The key is wrong.' });
  await world.signal(failure());
  const { code, of } = await examine();
  expect(code).toBe(1);
  expect(of('channels')).toContainEqual({
    check: 'channels',
    status: 'fail',
    message: expect.stringMatching(/^email is parked: .*The key is wrong\..*, last tried .*; tried again in 1[45] min/),
    cure: 'repair its key, account or address, then: npx tocsin channels test email',
  });
});

test('an open circuit is worth a warning', async () => {
  world.script.set('email', { outcome: 'retry', reason: 'server-error', status: 500, retryAfterMs: 0, detail: 'no' });
  await world.signal(failure());
  expect((await examine()).of('channels')).toContainEqual({
    check: 'channels',
    status: 'warn',
    message: expect.stringMatching(
      /^email does not answer: 5 attempts failed one after the other, last tried .*; tried again in /,
    ),
    cure: expect.stringContaining('npx tocsin channels test email --check'),
  });
});

test('messages that nobody took fail, those that others took are worth a warning; the cure sends them again', async () => {
  world.script.set('email', { outcome: 'rejected', reason: 'bad-request', status: 400, detail: 'no' });
  await world.signal(failure());
  const nobody = await examine();
  expect(nobody.code).toBe(1);
  expect(nobody.of('deliveries')).toMatchObject([
    {
      status: 'fail',
      message: expect.stringContaining('no channel took 1 digest'),
      cure: expect.stringContaining('npx tocsin deliveries retry --all'),
    },
  ]);
  expect(nobody.of('audit')).toMatchObject([
    {
      status: 'fail',
      message: expect.stringContaining('that no channel took'),
      cure: expect.stringContaining('npx tocsin deliveries retry --all'),
    },
  ]);

  await world.close();
  await emptyTables(database);
  world = await openCliWorld(database, { routes: [immediate({ channels: ['email', 'chat'] })] });
  world.script.set('email', { outcome: 'rejected', reason: 'bad-request', status: 400, detail: 'no' });
  await world.signal(failure());
  const some = await examine();
  expect(some.code).toBe(0);
  expect(some.of('deliveries')).toMatchObject([
    {
      status: 'warn',
      message: expect.stringContaining('1 message of the last 7 d'),
      cure: expect.stringContaining('deliveries list'),
    },
  ]);
});

test('silences that are on are counted, and one whose end was not carried out fails', async () => {
  await world.tocsin('silences', 'add', '--source', 'apple', '--for', '2h');
  expect((await examine()).of('silences')).toMatchObject([
    { status: 'ok', message: expect.stringMatching(/^1 silence is on, the next to end in (2 h|1 h 59 min)/) },
  ]);
  await database.pool.query(
    `update tocsin.silences set starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour'`,
  );
  const { code, of } = await examine();
  expect(code).toBe(1);
  expect(of('silences')).toMatchObject([
    {
      status: 'fail',
      message: expect.stringContaining('1 silence(s)'),
      cure: expect.stringContaining('npx tocsin notifier'),
    },
  ]);
});

test('an alert whose next action nobody has done fails the audit', async () => {
  await world.signal(failure());
  await world.tocsin('alerts', 'ack', 'job/apple/refresh_catalog/songs', '--for', '1h');
  expect((await examine()).of('audit')).toMatchObject([{ status: 'ok' }]);
  await database.pool.query(`update tocsin.alerts set next_action_at = now() - interval '1 hour'`);
  const { code, of } = await examine();
  expect(code).toBe(1);
  expect(of('audit')).toMatchObject([
    {
      status: 'fail',
      message: expect.stringContaining('next action is overdue'),
      cure: expect.stringContaining('notifier'),
    },
  ]);
});

test('canaries: how long the last one took, that none arrives, that they are off', async () => {
  const sent = async (minutesAgo: number): Promise<string> =>
    (
      await database.pool.query<{ id: string }>(
        `insert into tocsin.canary_jobs (created_at) values (clock_timestamp() - $1 * interval '1 minute') returning id`,
        [minutesAgo],
      )
    ).rows[0]?.id ?? '';
  const jobId = await sent(12);
  expect((await examine()).of('canary')).toMatchObject([
    {
      status: 'warn',
      message: expect.stringContaining('has not come through'),
      cure: expect.stringContaining('detector'),
    },
  ]);
  await world.close();
  const ofCanaries = immediate({
    name: canaryRoute,
    match: { source: [ownSource], jobType: ['canary'] },
    channels: [canaryChannel],
  });
  world = await openCliWorld(database, { routes: [immediate(), ofCanaries] });
  await world.signal(
    failure({ table: canaryTable, source: ownSource, jobType: 'canary', targetId: null, jobId, kind: 'failed' }),
  );
  expect((await examine()).of('canary')).toMatchObject([
    {
      status: 'ok',
      message: expect.stringMatching(
        /^one every 1 h travels from table to outbox; the last took 1[12] min.*, 12 min.* ago$/,
      ),
    },
  ]);
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'tocsin.yaml'), 'version: 1\nself_watch: { canary: off }\n');
  const off = await runForTest(['doctor'], { env: { DATABASE_URL: database.connectionString }, cwd });
  expect(off.out).toMatch(/^ok +canary +off \(self_watch\.canary\)$/m);
});

test('somebody whom messages do not reach while others get them is named', async () => {
  await world.signal(failure());
  const [delivery] = await world.service.store.read((session) =>
    session.listDeliveries({ state: 'all', channel: null, limit: 1 }),
  );
  if (delivery === undefined) throw new Error('Nothing was sent.');
  const [attempt] = await world.service.store.read((session) => session.attemptsOf([delivery.id]));
  const event = (name: string, recipient: string, detail: string | null = null) => ({
    id: randomUUID(),
    provider: 'sendgrid' as const,
    attemptId: attempt?.id ?? null,
    deliveryId: delivery.id,
    event: name,
    recipient,
    detail,
    at: new Date().toISOString(),
  });
  await settleProviderEvents(world.service, [
    event('delivered', 'ada@example.com'),
    event('bounce', 'bert@example.com', '550 no such user'),
    event('bounce', 'ada@example.com', '451 busy'),
  ]);
  const { code, of } = await examine();
  expect(code).toBe(0);
  expect(of('bounces')).toMatchObject([
    {
      status: 'warn',
      message:
        'in the last 7 d messages did not reach bert@example.com (1 message: 550 no such user), while others got them',
    },
  ]);
});

test('that bounces are not heard of is said, and is no warning', async () => {
  const [finding] = (await examine()).of('bounces');
  expect(finding).toMatchObject({
    status: 'ok',
    message: expect.stringContaining('not heard of'),
    cure: expect.stringContaining('SENDGRID_WEBHOOK_KEY'),
  });
  const without = await runForTest(['doctor', '--json'], { env: { DATABASE_URL: database.connectionString } });
  expect(without.out).not.toContain('SENDGRID_WEBHOOK_KEY');
});

test('in a terminal of 80 columns no sentence is broken within a word', async () => {
  const { out } = await runForTest(['doctor'], { env: { DATABASE_URL: database.connectionString }, columns: 80 });
  expect(out).toMatch(
    /^warn {2}dead-man {7}if this whole machine dies, nobody is told: no service\n {21}outside waits/m,
  );
  expect(out.split('\n').filter((line) => line.length > 80 && line.trim().includes(' '))).toEqual([]);
});
