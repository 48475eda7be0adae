import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { canaryChannel, canaryRoute, canaryTable, ownSource } from '@tocsin/alert-model';
import type { AlertState } from '@tocsin/alert-model';
import { raiseComponent, settleProviderEvents } from '@tocsin/alert-service';
import { createTestDatabase, insertFailedResearchJob, insertResearchJob } from '@tocsin/testing';
import { afterEach, expect, test } from 'vitest';
import { failure, immediate, ladder, openCliWorld, success } from './cli-world.fixture.ts';
import type { CliWorld } from './cli-world.fixture.ts';

const database = await createTestDatabase();
let world: CliWorld;
afterEach(() => world.close());

const minutes = (count: number): number => count * 60_000;
/** A key of its own per test, so that tests do not see each other's alerts. */
let made = 0;
const newJob = (): { readonly source: string; readonly key: string } => {
  made += 1;
  const source = `source${made}`;
  return { source, key: `job/${source}/refresh_catalog/songs` };
};
const listed = async (
  ...args: readonly string[]
): Promise<readonly { id: string; key: string; state: string; acknowledgedBy: string | null }[]> =>
  JSON.parse((await world.tocsin('alerts', 'list', '--json', ...args)).out);
const idOf = async (key: string): Promise<string> => {
  const [alert] = await listed('--all', '--key', key);
  if (alert === undefined) throw new Error(`no alert ${key}`);
  return alert.id;
};

test('open alerts are listed in a table of at most 100 columns, without anything a terminal would obey', async () => {
  world = await openCliWorld(database);
  const { source } = newJob();
  await world.signal(
    failure({ source, jobType: `evil\u001b[2J${'x'.repeat(120)}` }),
    failure({ source, targetId: '日本語' }),
  );
  const { code, out } = await world.tocsin('alerts', 'list', '--source', source);
  expect(code).toBe(0);
  expect(out).not.toContain('\u001b');
  const lines = out.split('\n');
  expect(lines[0]).toMatch(/^ID +STATE +SEVERITY +TITLE +TIMES +SINCE +LAST +ACK BY$/);
  expect(lines.every((line) => line.length <= 100)).toBe(true);
  expect(out).toContain('2 open alerts');
  expect(out).toContain('日本語');
});

test('the list holds what is open, unless it is asked for more, and says when it is cut', async () => {
  world = await openCliWorld(database);
  const one = newJob();
  const other = newJob();
  await world.signal(failure({ source: one.source }), failure({ source: other.source }));
  expect((await world.tocsin('alerts', 'resolve', other.key)).code).toBe(0);
  const keys = async (...args: string[]): Promise<readonly string[]> => (await listed(...args)).map(({ key }) => key);
  expect(await keys()).toContain(one.key);
  expect(await keys()).not.toContain(other.key);
  expect(await keys('--all')).toContain(other.key);
  expect(await keys('--state', 'resolved', '--source', other.source)).toEqual([other.key]);
  expect((await world.tocsin('alerts', 'list', '--all', '--limit', '1')).out).toContain('there are more');
  expect((await world.tocsin('alerts', 'list', '--source', 'nobody')).out).toContain('No alert is open');
});

test('an alert is taken by the user of the shell until its cause changes, and only once', async () => {
  world = await openCliWorld(database);
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  const id = await idOf(key);
  const { code, out } = await world.tocsin('alerts', 'ack', id.slice(0, 8));
  expect(code).toBe(0);
  expect(out).toContain(`acknowledged by ${userInfo().username}, until it succeeds or fails for another reason`);
  const again = await world.tocsin('alerts', 'ack', id, '--by', 'bert');
  expect(again.code).toBe(1);
  expect(again.err).toContain(`already acknowledged by ${userInfo().username}`);
  expect(await listed('--key', key)).toMatchObject([{ state: 'acknowledged', acknowledgedBy: userInfo().username }]);

  expect((await world.tocsin('alerts', 'unack', key, '--by', 'bert')).code).toBe(0);
  expect((await world.tocsin('alerts', 'unack', key)).err).toContain('the alert is not acknowledged');
});

test.each([
  [['--for', '2h'], { until: 'time' }],
  [['--until', '2999-01-01T09:00Z'], { until: 'time', at: '2999-01-01T09:00:00.000Z' }],
  [['--until-failures', '3'], { until: 'failures', count: 3 }],
  [['--until-success'], { until: 'success' }],
  [['--until-signature-change'], { until: 'signature-change' }],
])('an acknowledgement with %j holds accordingly and keeps its note', async (options, lease) => {
  world = await openCliWorld(database);
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  expect((await world.tocsin('alerts', 'ack', key, '--by', 'anna', '--note', 'on it', ...options)).code).toBe(0);
  const { state } = JSON.parse((await world.tocsin('alerts', 'show', key, '--json')).out) as { state: AlertState };
  expect(state.acknowledgement).toMatchObject({ by: 'anna', via: 'cli', note: 'on it', lease });
});

test('an acknowledgement until so many failures says so, and ends with the last of them', async () => {
  world = await openCliWorld(database);
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  const { out } = await world.tocsin('alerts', 'ack', key, '--by', 'anna', '--until-failures', '2');
  expect(out).toContain('acknowledged by anna, until it has failed 2 times more');
  await world.signal(failure({ source }));
  expect(await listed('--key', key)).toMatchObject([{ state: 'acknowledged' }]);
  await world.signal(failure({ source }));
  await world.run();
  expect(await listed('--key', key)).toMatchObject([{ state: 'notified', acknowledgedBy: null }]);
  const { out: shown } = await world.tocsin('alerts', 'show', key);
  expect(shown).toContain('AcknowledgementLapsed → detected: of anna: it has failed as often as it was given for');
});

test('a lease in the past is refused', async () => {
  world = await openCliWorld(database);
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  const { code, err } = await world.tocsin('alerts', 'ack', key, '--until', '2020-01-01');
  expect(code).toBe(1);
  expect(err).toContain('in the past');
});

test('of several alerts those that can be done are done, and the exit code tells of the others', async () => {
  world = await openCliWorld(database);
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  const { code, out } = await world.tocsin(
    'alerts',
    'resolve',
    '00000000',
    key,
    '--by',
    'anna',
    '--note',
    'replaced the disk',
    '--json',
  );
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject([
    { asked: '00000000', id: null, done: false },
    { asked: key, done: true, reason: 'resolved by anna', state: 'resolved' },
  ]);
  expect((await world.tocsin('alerts', 'resolve', key)).err).toContain('already resolved');
});

test('the beginning of an id must be long enough, and there must be such an alert', async () => {
  world = await openCliWorld(database);
  expect(await world.tocsin('alerts', 'show', 'abc')).toMatchObject({
    code: 2,
    err: expect.stringContaining('at least 4 characters'),
  });
  expect(await world.tocsin('alerts', 'show', 'job/no/such')).toMatchObject({
    code: 1,
    err: expect.stringContaining('There is no alert'),
  });
});

test('show tells what a person wants to know, with the whole story', async () => {
  world = await openCliWorld(database);
  const { source, key } = newJob();
  await world.signal(failure({ source, error: 'disk full' }), failure({ source, error: 'disk full' }));
  await world.tocsin('alerts', 'ack', key, '--by', 'anna');
  const { code, out } = await world.tocsin('alerts', 'show', key);
  expect(code).toBe(0);
  for (const text of [
    `${source}/refresh_catalog/songs: acknowledged`,
    '2 × disk full',
    'taken by:    anna',
    'email: accepted',
    'AlertNotified → notified',
    'AlertAcknowledged → acknowledged',
  ])
    expect(out).toContain(text);
});

test('canaries are not listed, unless they are asked for; that none arrives is', async () => {
  const ofCanaries = immediate({
    name: canaryRoute,
    match: { source: [ownSource], jobType: ['canary'] },
    channels: [canaryChannel],
  });
  world = await openCliWorld(database, { routes: [immediate(), ofCanaries] });
  const own = { source: ownSource, jobType: 'canary', targetId: null };
  await world.signal(failure({ ...own, table: canaryTable, kind: 'failed' }));
  const keys = async (...args: string[]): Promise<readonly string[]> => (await listed(...args)).map(({ key }) => key);
  const canary = 'job/tocsin/canary';
  expect(await keys()).not.toContain(canary);
  expect(await keys('--state', 'notified')).not.toContain(canary);
  for (const args of [['--all'], ['--source', 'tocsin'], ['--key', canary]])
    expect(await keys(...args)).toContain(canary);

  await world.service.store.transaction('test.late', (session) =>
    raiseComponent(
      world.service,
      session,
      { jobType: 'canary', targetId: null },
      { error: 'It does not come through.' },
    ),
  );
  await world.run();
  expect(await keys()).toContain(`${canary}/late`);
  expect((await world.tocsin('alerts', 'explain', `${canary}/late`)).out).toContain(
    'waits for: a canary to arrive: npx tocsin doctor',
  );
});

test('show and list say what mutes an alert, that it flaps, how far it was escalated and what came back', async () => {
  world = await openCliWorld(
    database,
    {
      flapping: { times: 1, withinMs: minutes(60), holdMs: minutes(30) },
      routes: [immediate({ escalation: ladder('night', [0, 'chat'], [30, 'pager']) })],
    },
    { recipients: { email: 1 } },
  );
  const { source, key } = newJob();
  const at = (second: number): string => new Date(Date.now() - 60_000 + second * 1_000).toISOString();
  await world.signal(failure({ source, failedAt: at(0) }));
  await world.signal(success({ source, finishedAt: at(1) }));
  await world.signal(failure({ source, failedAt: at(2) }));
  await world.run();
  const show = async (): Promise<string> => (await world.tocsin('alerts', 'show', key)).out;
  const flapping = await show();
  expect(flapping).toMatch(/flapping: {4}2 alerts of this key within 1 h; told once, then quiet/);
  expect(flapping).toMatch(/escalated: {3}night, level 1 of 2, .* UTC/);
  expect(flapping).toContain('chat [escalation]: accepted');

  const silenced = await world.tocsin('silences', 'add', '--source', source, '--for', '2h', '--by', 'ada', '--json');
  const { id } = (JSON.parse(silenced.out) as { silence: { id: string } }).silence;
  expect(await show()).toMatch(new RegExp(`muted by: {4}silence ${id.slice(0, 8)} of ada until .* UTC`));
  expect((await world.tocsin('alerts', 'list', '--source', source)).out).toMatch(/^\w{8} {2}muted +error/m);
  await world.tocsin('silences', 'end', id);

  const [told] = JSON.parse((await world.tocsin('alerts', 'show', key, '--json')).out).deliveries;
  await settleProviderEvents(world.service, [
    {
      id: randomUUID(),
      provider: 'sendgrid',
      attemptId: told.attempts[0].id,
      deliveryId: told.delivery.id,
      event: 'bounce',
      recipient: 'ada@example.com',
      detail: null,
      at: new Date().toISOString(),
    },
  ]);
  await world.run();
  const back = await show();
  expect(back).toMatch(/came back: {3}1 message/);
  expect(back).toMatch(/email: accepted .*, then came back \(bounced\); 1 attempt/);
});

test('explain names rule, key, route, digest, attempt, answer, and the attempt that comes next with its time', async () => {
  world = await openCliWorld(database);
  const { source, key } = newJob();
  world.answers.push({
    outcome: 'retry',
    reason: 'rate-limited',
    retryAfterMs: minutes(10),
    status: 429,
    detail: 'slow down',
  });
  await world.signal(failure({ source }));
  const { code, out } = await world.tocsin('alerts', 'explain', key);
  expect(code).toBe(0);
  expect(out).toContain('Not told yet: the message is on its way to email.');
  expect(out).toContain(`key        ${key}`);
  expect(out).toContain('route      default: email; at once');
  expect(out).toMatch(/attempt 1 at .*: retry, 429, rate-limited, slow down/);
  expect(out).toMatch(/\(in (9 min \d+ s|10 min)\): attempt 2 on email \(the last one: rate-limited\)/);
  expect(out).toContain('waits for: success of refresh_catalog/songs');
});

test('explain says when an open digest goes out, and when the clock of an escalation will begin', async () => {
  world = await openCliWorld(database, {
    routes: [
      immediate({
        name: 'gathered',
        windowMs: minutes(15),
        escalation: ladder('second-line', [30, 'pager']),
      }),
    ],
  });
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  const { out } = await world.tocsin('alerts', 'explain', key);
  expect(out).toContain('Not told yet: it is gathered with others');
  expect(out).toMatch(/\(in 1[45] min( \d+ s)?\): the digest of route gathered goes out to email/);
  expect(out).toContain('escalates to second-line (pager) 30 min after the first channel has accepted');
});

test('explain says when a told alert escalates, and that it does not while somebody has it', async () => {
  world = await openCliWorld(database, {
    routes: [immediate({ escalation: ladder('second-line', [30, 'pager']) })],
  });
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  const told = (await world.tocsin('alerts', 'explain', key)).out;
  expect(told).toMatch(/Told: email accepted it at/);
  expect(told).toMatch(/\(in (29 min \d+ s|30 min)\): escalates to second-line \(pager\) unless it is acknowledged/);

  await world.tocsin('alerts', 'ack', key, '--by', 'anna', '--for', '2h');
  const taken = (await world.tocsin('alerts', 'explain', key)).out;
  expect(taken).not.toContain('escalates');
  expect(taken).toMatch(/\(in (1 h 59 min|2 h)\): the acknowledgement of anna ends/);
});

test('explain says that all is over, when it is', async () => {
  world = await openCliWorld(database);
  const { source, key } = newJob();
  await world.signal(failure({ source }));
  await world.tocsin('alerts', 'resolve', key);
  await world.run();
  const explained = JSON.parse((await world.tocsin('alerts', 'explain', key, '--json')).out);
  expect(explained).toMatchObject({
    key,
    state: 'resolved',
    rule: 'none matched',
    next: [{ at: null, what: expect.stringContaining('nothing') }],
  });
  expect(explained.digests).toMatchObject([
    { deliveries: [{ channel: 'email', attempts: [{ outcome: 'accepted' }] }] },
    { state: 'delivered' },
  ]);
});

test('story 35: a job is explained through the alert that holds its failure', async () => {
  world = await openCliWorld(database);
  const { source, key } = newJob();
  const signal = failure({ source });
  await world.signal(signal);
  for (const asked of [signal.jobId, `research_jobs:${signal.jobId}`, `public.research_jobs:${signal.jobId}`]) {
    const { code, out } = await world.tocsin('alerts', 'explain', '--job', asked);
    expect(code).toBe(0);
    expect(out).toContain('told on route default: email accepted it at');
    expect(out).toContain(`key        ${key}`);
  }
});

test('a job that a rule ignores is explained by that', async () => {
  world = await openCliWorld(database, { rules: [{ name: 'rules[0]', match: {}, ignore: true }] });
  const signal = failure({ source: newJob().source });
  await world.signal(signal);
  expect((await world.tocsin('alerts', 'explain', '--job', signal.jobId)).out).toContain(
    'a rule with "ignore: true" matched',
  );
});

test.each([
  [
    'has attempts left',
    { status: 'failed', attempts: 1, max_attempts: 3 },
    'it has attempts left and will be tried again',
  ],
  ['still runs', { status: 'running' }, 'it counts as stuck after 3 times what 99 of 100 earlier runs took'],
  [
    'beats',
    { status: 'running', heartbeat_at: '2026-03-02T03:00:00Z' },
    'when there is no heartbeat for 15 min (default)',
  ],
  ['waits', { status: 'pending' }, 'it counts as stalled after 1 h (default)'],
  ['succeeded', { status: 'succeeded' }, 'there is nothing to tell'],
  ['was canceled', { status: 'canceled' }, 'canceled jobs are never told'],
] as const)('a job without an outcome that %s is explained from its row', async (_, fields, reason) => {
  world = await openCliWorld(database);
  const id = await insertResearchJob(database.pool, fields);
  const { code, out } = await world.tocsin('alerts', 'explain', '--job', id);
  expect(code).toBe(0);
  expect(out).toContain('No outcome of this job is recorded.');
  expect(out).toContain(reason);
});

test('a failure that nobody has read, that is too old, or that is not there is explained', async () => {
  world = await openCliWorld(database);
  const unread = await insertFailedResearchJob(database.pool);
  expect((await world.tocsin('alerts', 'explain', '--job', unread)).out).toContain('no detector has ever run here');
  const old = await insertFailedResearchJob(database.pool, {
    updated_at: '2020-01-01T00:00:00Z',
    finished_at: '2020-01-01T00:00:00Z',
  });
  expect((await world.tocsin('alerts', 'explain', '--job', old)).out).toMatch(
    /longer than table research_jobs looks back \(14 d/,
  );
  expect((await world.tocsin('alerts', 'explain', '--job', '4711')).out).toContain(
    'there is no job with this id in public.research_jobs',
  );
});
