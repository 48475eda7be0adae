import { userInfo } from 'node:os';
import type { AlertState } from '@tocsin/alert-model';
import type { Silence } from '@tocsin/event-store';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, expect, test } from 'vitest';
import { failure, openCliWorld, runForTest } from './cli-world.fixture.ts';
import type { CliRun, CliWorld } from './cli-world.fixture.ts';

const database = await createTestDatabase();
let world: CliWorld;
afterEach(async () => {
  await world.close();
  await database.pool.query('delete from tocsin.silences');
});

/** A source of its own per test, so that tests do not see each other's alerts. */
let made = 0;
const newSource = (): string => {
  made += 1;
  return `source${made}`;
};
const add = (...args: readonly string[]): Promise<CliRun> => world.tocsin('silences', 'add', ...args);
interface Added {
  readonly done: boolean;
  readonly alerts: number;
  readonly silence: Silence;
}
const added = async (...args: readonly string[]): Promise<Added> =>
  JSON.parse((await add(...args, '--json')).out) as Added;
const listed = async (...args: readonly string[]): Promise<readonly Silence[]> =>
  JSON.parse((await world.tocsin('silences', 'list', ...args, '--json')).out) as readonly Silence[];
const stateOf = async (source: string): Promise<AlertState | undefined> =>
  (await database.pool.query<{ data: AlertState }>('select data from tocsin.alerts where source = $1', [source]))
    .rows[0]?.data;

test('a silence mutes what is open and what comes, says so, and how to end it', async () => {
  world = await openCliWorld(database);
  const source = newSource();
  await world.signal(failure({ source }));
  const { code, out, err } = await add('--source', source, '--for', '2h', '--reason', 'the big move', '--by', 'ada');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(
    new RegExp(
      `^(\\w{8})  mutes source ${source}, until \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC\\n1 open alert muted now\\.\\nEnd it: npx tocsin silences end \\1\\n$`,
    ),
  );
  expect(Object.values((await stateOf(source))?.silences ?? {})).toMatchObject([{ by: 'ada', reason: 'the big move' }]);
  expect(await listed()).toMatchObject([{ by: 'ada', match: { source: [source] }, end: { until: 'time' } }]);
});

test('every matcher can be given, several times, and the silence holds them all', async () => {
  world = await openCliWorld(database);
  const matchers =
    '--source apple or* --job-type refresh_* --target songs --kind stuck stalled --severity warning,error';
  const { silence } = await added(...matchers.split(' '), '--for', '90s');
  expect(silence).toMatchObject({
    by: userInfo().username,
    reason: null,
    match: {
      source: ['apple', 'or*'],
      jobType: ['refresh_*'],
      targetId: ['songs'],
      kind: ['stuck', 'stalled'],
      severity: ['warning', 'error'],
    },
  });
  expect((await world.tocsin('silences', 'list')).out).toContain('source apple or or*, job type refresh_*');
});

test('a silence until a time, one that begins later, and one until the resolution', async () => {
  world = await openCliWorld(database);
  const source = newSource();
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 16);
  const until = await added('--source', source, '--until', `${tomorrow}Z`);
  expect(until.silence.end).toMatchObject({ until: 'time', at: expect.stringMatching(new RegExp(`^${tomorrow}:00`)) });

  const later = await add('--source', source, '--from', `${tomorrow}Z`, '--for', '1h');
  expect(later.code).toBe(0);
  expect(later.out).toMatch(/It begins .* UTC \(in (23 h 59 min|23 h 58 min|1 d).*\)\./);

  await world.signal(failure({ source }));
  const resolved = await added('--source', source, '--until-resolved');
  expect(resolved).toMatchObject({
    alerts: 1,
    silence: { end: { until: 'resolved' }, alertIds: [expect.any(String)] },
  });
  expect((await world.tocsin('silences', 'list')).out).toContain('until its alert is resolved');
});

test('what cannot be done is refused with a reason, and exit code 1', async () => {
  world = await openCliWorld(database);
  expect(await add('--source', newSource(), '--until', '2020-01-01')).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/^tocsin: nothing was muted: the silence would be over before it begins/),
  });
  expect(await add('--source', newSource(), '--for', '400d')).toMatchObject({
    code: 1,
    err: expect.stringContaining('longer than 366 days'),
  });
  const none = await add('--source', newSource(), '--until-resolved', '--json');
  expect(none.code).toBe(1);
  expect(JSON.parse(none.out)).toEqual({ done: false, refused: expect.stringContaining('no open alert matches') });
  expect(await listed('--all')).toEqual([]);
});

test.each([
  [['--for', '2h'], "Say what to mute, such as --source apple; everything is --source '*'."],
  [['--source', 'apple'], 'Say when it ends'],
  [['--source', 'apple', '--for', '0'], '--for must be longer than 0'],
  [['--source', 'apple', '--for', 'soon'], 'is not a duration'],
  [['--source', 'apple', '--for', '1h', '--until', '2999-01-01'], 'cannot be used with option'],
  [['--source', 'apple', '--for', '1h', '--until-resolved'], 'cannot be used with option'],
  [['--source', 'apple', '--until', 'tomorrow'], 'Write an instant in UTC'],
  [['--source', 'apple', '--until-resolved', '--from', '2999-01-01'], 'leave --from out'],
  [['--kind', 'broken', '--for', '1h'], 'There is no kind "broken"; choose from failed, dead'],
  [['--severity', 'loud', '--for', '1h'], 'Choose from info'],
])('silences add %j is wrong usage: exit code 2', async (args, message) => {
  world = await openCliWorld(database);
  const { code, out, err } = await add(...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(message);
  expect(await listed('--all')).toEqual([]);
});

test('everything can be muted, if it is asked for by name', async () => {
  world = await openCliWorld(database);
  expect((await add('--source', '*', '--for', '1h')).out).toContain('mutes source *, until');
});

test('the list shows those that are on, and with --all those that are over, in 80 columns', async () => {
  world = await openCliWorld(database);
  expect((await world.tocsin('silences', 'list')).out).toBe(
    'Nothing is muted. Mute something: npx tocsin silences add\n',
  );
  expect((await world.tocsin('silences', 'list', '--all')).out).toBe('There has been no silence.\n');
  const { silence } = await added(
    '--source',
    'apple\u001b[2J',
    '--for',
    '1h',
    '--reason',
    'x'.repeat(60),
    '--by',
    'ada',
  );
  await add('--source', 'pear', '--for', '1h');
  expect((await world.tocsin('silences', 'end', silence.id.slice(0, 8), '--by', 'bert')).code).toBe(0);
  expect(await listed()).toHaveLength(1);
  expect(await listed('--all')).toHaveLength(2);
  const env = { DATABASE_URL: database.connectionString };
  const { out } = await runForTest(['silences', 'list', '--all'], { env, columns: 80 });
  expect(out).toMatch(
    /^\w{8} {2}source pear\n {10}\w+, just now; until .* UTC \(in (1 h|59 min \d+ s)\)\n\w{8} {2}source apple\n {10}ada, just now; ended .* UTC by bert:\n {10}x+\n\n2 silences\n/,
  );
  expect(out).not.toContain('\u001b');
  expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect((await world.tocsin('silences', 'list', '--limit', '1', '--all', '--json')).out).toContain('pear');
});

test('a silence is ended by the beginning of its id, once; what happened under it is told', async () => {
  world = await openCliWorld(database);
  const source = newSource();
  const { silence } = await added('--source', source, '--for', '1h');
  await world.signal(failure({ source }));
  expect((await stateOf(source))?.told).toEqual([]);
  const id = silence.id.slice(0, 8);
  expect(await world.tocsin('silences', 'end', id, '--by', 'bert')).toMatchObject({
    code: 0,
    out: `${id}  ended; 1 alert heard again\n`,
  });
  await world.run();
  expect((await stateOf(source))?.told).toMatchObject([{ channel: 'email' }]);
  expect(await listed('--all')).toMatchObject([{ endedBy: 'bert', endCause: 'ended' }]);
  expect(await world.tocsin('silences', 'end', id)).toMatchObject({
    code: 1,
    err: expect.stringMatching(new RegExp(`^tocsin: ${id} was not ended: the silence is over since`)),
  });
  const json = await world.tocsin('silences', 'end', id, '--json');
  expect(json.code).toBe(1);
  expect(JSON.parse(json.out)).toMatchObject([{ id: silence.id, done: false, refused: expect.any(String) }]);
});

test('an id that is too short, names none or is missing is wrong usage', async () => {
  world = await openCliWorld(database);
  expect(await world.tocsin('silences', 'end', 'abc')).toMatchObject({
    code: 2,
    err: expect.stringContaining('give 4 characters or more'),
  });
  expect(await world.tocsin('silences', 'end', '00000000')).toMatchObject({
    code: 2,
    err: expect.stringContaining('There is no silence "00000000". See: npx tocsin silences list --all'),
  });
  expect(await world.tocsin('silences', 'end')).toMatchObject({
    code: 2,
    err: expect.stringContaining("missing required argument 'id'"),
  });
});
