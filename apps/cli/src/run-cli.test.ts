import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder, runForTest } from './cli-world.fixture.ts';

test('without arguments it tells a newcomer what to do first', async () => {
  const { code, out } = await runForTest([]);
  expect(code).toBe(0);
  expect(out).toContain('npx tocsin up');
});

test.each([[['--version']], [['help']], [['help', 'up']], [['alerts', '--help']], [['replay', '--help']]])(
  '%j succeeds and writes to standard output',
  async (args) => {
    const { code, out, err } = await runForTest(args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).not.toBe('');
  },
);

test('help names every command of this version, and not the console', async () => {
  const { out } = await runForTest(['help']);
  for (const command of [
    'up',
    'detector',
    'notifier',
    'migrate',
    'alerts',
    'silences',
    'deliveries',
    'channels',
    'replay',
    'events',
    'machine',
    'doctor',
    'config',
  ])
    expect(out).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  expect(out).not.toContain('console');
});

test.each([
  [['nonsense'], "unknown command 'nonsense'"],
  [['alerts'], 'Usage: tocsin alerts'],
  [['alerts', 'list', '--limit', '0'], 'whole number from 1'],
  [['alerts', 'list', '--state', 'broken'], 'Choose from detected'],
  [['alerts', 'ack'], "missing required argument 'id'"],
  [['alerts', 'ack', 'abcd', '--for', '2h', '--until-success'], 'cannot be used with option'],
  [['alerts', 'ack', 'abcd', '--until', 'tomorrow'], 'Write an instant in UTC'],
  [['alerts', 'ack', 'abcd', '--until-failures', '0'], 'whole number from 1 to 10000'],
  [['alerts', 'ack', 'abcd', '--until-failures', '3', '--for', '2h'], 'cannot be used with option'],
  [['silences'], 'Usage: tocsin silences'],
  [['deliveries', 'list', '--limit', '500'], 'whole number from 1 to 499'],
  [['alerts', 'ack', 'abcd', '--for', 'soon'], 'is not a duration'],
  [['alerts', 'explain'], 'Name an alert'],
  [['alerts', 'explain', 'abcd', '--job', '4711'], 'one of them'],
  [['replay'], 'Name an alert'],
  [['replay', 'abcd', '--all'], 'not both'],
  [['replay', '--all', '--verify', '--until', '2026-03-02'], 'cannot be used with option'],
  [['replay', '--file', 'bundle', '--verify'], 'a bundle has none'],
  [['console'], 'not part of this version'],
  [['up', '--nonsense'], "unknown option '--nonsense'"],
])('%j is wrong usage: exit code 2 and one message on standard error', async (args, message) => {
  const { code, out, err } = await runForTest(args);
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).toContain(message);
  expect(err).not.toContain('    at ');
});

test('without a database it says how to get one', async () => {
  const { code, err } = await runForTest(['alerts', 'list']);
  expect(code).toBe(2);
  expect(err).toMatch(/^tocsin: DATABASE_URL is not set, .*Start it with: npx tocsin up\n$/);
});

test('a wrong configuration is told with all its problems at once, and nothing is started', async () => {
  const env = { DATABASE_URL: 'mysql://x', SMTP_URL: 'nope', LOG_LEVEL: 'loud' };
  for (const args of [['up'], ['detector'], ['doctor'], ['config', 'check'], ['migrate']]) {
    const { code, err } = await runForTest(args, { env });
    expect({ args, code }).toEqual({ args, code: 2 });
    for (const name of Object.keys(env)) expect(err).toContain(name);
  }
});

test('config check --json names the problems for programs too', async () => {
  const { code, out } = await runForTest(['config', 'check', '--json'], { env: { LOG_LEVEL: 'loud' } });
  expect(code).toBe(2);
  expect(JSON.parse(out)).toMatchObject({ ok: false, problems: [{ path: 'LOG_LEVEL' }] });
});

test('config check shows what takes effect, with secrets masked', async () => {
  const cwd = emptyFolder();
  writeFileSync(
    join(cwd, 'tocsin.yaml'),
    'version: 1\nroutes:\n  - name: quick\n    channels: [outbox]\n    digest:\n      window: 90s\n',
  );
  const env = { DATABASE_URL: 'postgres://me:hush-hush@db.example/app', TOCSIN_SECRET: 'a-long-secret-nobody-knows' };
  const { code, out } = await runForTest(['config', 'check'], { env, cwd });
  expect(code).toBe(0);
  expect(out).toContain('window: 90s');
  expect(out).toContain('postgres://me:***@db.example/app');
  expect(out).not.toMatch(/hush-hush|a-long-secret/);
});

test('config check shows when schedules are due next, in their zone', async () => {
  const cwd = emptyFolder();
  writeFileSync(
    join(cwd, 'tocsin.yaml'),
    'version: 1\nschedules:\n  - { name: nightly, source: a, job_type: x, cron: 30 3 * * *, timezone: Africa/Cairo, grace: 45m }\n',
  );
  const { code, out } = await runForTest(['config', 'check'], { cwd });
  expect(code).toBe(0);
  expect(out).toContain('  nightly: a/x, 30 3 * * * in Africa/Cairo, 45 min of grace');
  expect(out).toMatch(/ {4}due \w{3}, \d+ \w+ \d{4}, 03:30 Africa\/Cairo \(\d{4}-\d\d-\d\d 0[01]:30 UTC\)/);
  expect(JSON.parse((await runForTest(['config', 'check', '--json'], { cwd })).out)).toMatchObject({
    ok: true,
    schedules: [{ name: 'nightly', table: 'research_jobs', graceMs: 2_700_000, next: [{}, {}] }],
  });
});

test('config check says in words when who is told, and what is off', async () => {
  const cwd = emptyFolder();
  writeFileSync(
    join(cwd, 'tocsin.yaml'),
    `version: 1
routes:
  - name: team
    match: { during: [{ days: mon-fri, from: '09:00', to: '17:30', timezone: Africa/Cairo }] }
    channels: [chat]
    digest: { all_quiet: { cron: 0 8 * * MON, timezone: Europe/Berlin } }
    quiet_hours: { windows: [{ from: '22:00', to: '07:00', timezone: Europe/Berlin }], break_through: [error, critical] }
    escalation: ladder
channels:
  chat: { type: slack_bot, token: xoxb-hush-hush, channel: '#alerts', rate_limit: { messages: 30, per: 1m } }
  pager: { type: pagerduty, routing_key: ${'hush'.repeat(8)} }
escalations:
  ladder:
    levels: [{ after: 15m, channels: [chat] }, { after: 45m, channels: [pager], severity: [error, critical] }]
    repeat: { every: 1h, times: 5 }
silences:
  - { name: move, match: { source: billing, kind: [stuck, stalled] }, until: 2026-01-05T22:00:00Z, reason: The move }
flapping: off
self_watch: { deadman_url: 'https://hc-ping.com/hush-hush', canary: off }
`,
  );
  const { code, out, err } = await runForTest(['config', 'check'], { cwd, env: { TOCSIN_NOTIFIER_PORT: 'off' } });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const lines = out.split('\n').map((line) => line.trim());
  for (const line of [
    'during: mon-fri 09:00-17:30 Africa/Cairo',
    'allQuiet: 0 8 * * MON in Europe/Berlin',
    'quietHours: every day 22:00-07:00 Europe/Berlin',
    'toldAllTheSame: [error, critical]',
    'after 15m: [chat]',
    'after 45m if error or critical: [pager]',
    'then every 1h, 5 times: [chat, pager]',
    'move: source billing and kind stuck or stalled, until 2026-01-05 22:00:00 UTC (over): The move',
    'update: 15m',
    'flapping: off',
    'deadmanUrl: https://hc-ping.com/***',
    'canary: off',
    'detectorPort: 9571, or none if it is taken',
    'notifierPort: off',
    'warning: silences[0] was over at 2026-01-05T22:00:00Z; it silences nothing, take it out.',
  ])
    expect(lines).toContain(line);
  expect(out).not.toContain('hush');
});

test('config check takes a file named on the command line, before or after the command', async () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'other.yaml'), 'version: 1\nroutes:\n  - name: other\n    channels: [outbox]\n');
  for (const args of [
    ['config', 'check', '--config', 'other.yaml'],
    ['--config', 'other.yaml', 'config', 'check'],
  ])
    expect((await runForTest(args, { cwd })).out).toContain('name: other');
});

test('the schema and the machine are printed for programs', async () => {
  expect(JSON.parse((await runForTest(['config', 'schema'])).out)).toMatchObject({ title: 'tocsin.yaml' });
  expect((await runForTest(['machine'])).out).toMatch(/^stateDiagram-v2/);
  expect(JSON.parse((await runForTest(['machine', '--json'])).out)).toContainEqual(
    expect.objectContaining({ from: 'absent', to: 'detected' }),
  );
});

test('a database that cannot be reached is one sentence without the password, and exit code 1', async () => {
  const env = { DATABASE_URL: 'postgres://me:hush-hush@127.0.0.1:1/app' };
  for (const args of [
    ['alerts', 'list'],
    ['migrate', '--check'],
    ['events', 'tail'],
  ]) {
    const { code, err } = await runForTest(args, { env });
    expect({ args, code }).toEqual({ args, code: 1 });
    expect(err).toMatch(/^tocsin: No PostgreSQL answers at 127\.0\.0\.1:1/);
    expect(err).not.toMatch(/hush-hush| {4}at /);
  }
});

test('the doctor reports a database that cannot be reached as a finding', async () => {
  const { code, out } = await runForTest(['doctor', '--json'], {
    env: { DATABASE_URL: 'postgres://me@127.0.0.1:1/app' },
  });
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ ok: false, failures: 1 });
});
