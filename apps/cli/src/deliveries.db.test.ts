import type { DeliveryOutcome } from '@tocsin/alert-model';
import type { Delivery } from '@tocsin/event-store';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyTables, failure, immediate, openCliWorld, runForTest } from './cli-world.fixture.ts';
import type { CliWorld } from './cli-world.fixture.ts';

const database = await createTestDatabase();
let world: CliWorld;
beforeEach(async () => {
  world = await openCliWorld(database);
});
afterEach(async () => {
  await world.close();
  await emptyTables(database);
});

const refused: DeliveryOutcome = { outcome: 'rejected', reason: 'bad-request', status: 400, detail: 'No such thing.' };
const later: DeliveryOutcome = {
  outcome: 'retry',
  reason: 'server-error',
  retryAfterMs: 600_000,
  status: 500,
  detail: 'Come back later.',
};
/** A source of its own per alert, so that each has messages of its own. */
let made = 0;
const fail = async (): Promise<void> => {
  made += 1;
  await world.signal(failure({ source: `source${made}` }));
};
const listed = async (...args: readonly string[]): Promise<readonly Delivery[]> =>
  JSON.parse((await world.tocsin('deliveries', 'list', ...args, '--json')).out) as readonly Delivery[];

test('messages that nobody took are listed with why, exit code 1; where there is none, 0', async () => {
  expect(await world.tocsin('deliveries', 'list')).toMatchObject({
    code: 0,
    out: 'No message was given up. Those on their way: --state waiting\n',
  });
  world.script.set('email', refused);
  await fail();
  const { code, out } = await world.tocsin('deliveries', 'list');
  expect(code).toBe(1);
  expect(out).toMatch(
    /^\w{8} {2}email: given up \(bad-request\); 1 attempt\n {10}.*source\d+\/refresh_catalog\/songs.* \(1 alert, made just now\)\n\n1 message that nobody took\nSend again: npx tocsin deliveries retry ID, or --all\n$/,
  );
  const json = await world.tocsin('deliveries', 'list', '--json');
  expect(json.code).toBe(1);
  expect(JSON.parse(json.out)).toMatchObject([{ channel: 'email', state: 'rejected', lastReason: 'bad-request' }]);
});

test('what is still tried is listed with its next attempt, by channel, and exit code 0', async () => {
  world.answers.push(later);
  await fail();
  const { code, out } = await world.tocsin('deliveries', 'list', '--state', 'waiting');
  expect(code).toBe(0);
  expect(out).toMatch(/email: retrying \(server-error\), next attempt .* UTC \(in (9|10) min.*\); 1 attempt$/m);
  expect(await listed('--state', 'waiting', '--channel', 'email')).toHaveLength(1);
  expect((await world.tocsin('deliveries', 'list', '--state', 'all', '--channel', 'chat')).out).toBe(
    'There is no such message.\n',
  );
});

test('the list keeps to 80 columns and shows nothing a terminal would obey', async () => {
  world.script.set('email', refused);
  await world.signal(failure({ source: `evil\u001b[2J${'x'.repeat(60)}`, jobType: 'y'.repeat(30) }));
  const env = { DATABASE_URL: database.connectionString };
  const { out } = await runForTest(['deliveries', 'list'], { env, columns: 80 });
  expect(out).not.toContain('\u001b');
  expect(out.split('\n')[0]).toMatch(/^\w{8} {2}email: given up/);
});

test('a message that was given up is sent again once its channel works, and only once', async () => {
  world.script.set('email', refused);
  await fail();
  const [dead] = await listed();
  const id = dead?.id.slice(0, 8) ?? '';
  world.script.delete('email');
  const { code, out } = await world.tocsin('deliveries', 'retry', id, '--by', 'ada');
  expect(code).toBe(0);
  expect(out).toContain(`${id}  it is sent again through "email"\n`);
  await world.run();
  expect(await listed()).toEqual([]);
  const all = await listed('--state', 'all');
  expect(all.find((delivery) => delivery.id === dead?.id)?.state).toBe('replaced');
  expect(all.find(({ fallbackOf }) => fallbackOf === dead?.id)).toMatchObject({
    state: 'accepted',
    message: { notices: [expect.stringContaining('ada has sent it again')] },
  });
  const again = await world.tocsin('deliveries', 'retry', id);
  expect(again).toMatchObject({
    code: 1,
    err: expect.stringMatching(new RegExp(`^tocsin: ${id} is not sent again: the channel "email" took over`)),
  });
});

test('one that waits is tried at once; one that was accepted is refused', async () => {
  world.answers.push(later);
  await fail();
  const [waiting] = await listed('--state', 'waiting');
  expect((await world.tocsin('deliveries', 'retry', waiting?.id ?? '')).out).toContain(
    'it was waiting and is tried now',
  );
  await world.run();
  const json = await world.tocsin('deliveries', 'retry', waiting?.id ?? '', '--json');
  expect(json.code).toBe(1);
  expect(JSON.parse(json.out)).toMatchObject([
    { id: waiting?.id, done: false, refused: expect.stringContaining('it was accepted at') },
  ]);
});

test('all that was given up is sent again, or only that of a channel', async () => {
  await world.close();
  world = await openCliWorld(database, { routes: [immediate({ channels: ['email', 'chat'] })] });
  world.script.set('email', refused);
  world.script.set('chat', refused);
  await fail();
  await fail();
  expect(await listed()).toHaveLength(4);
  world.script.clear();
  const first = await world.tocsin('deliveries', 'retry', '--all', '--channel', 'chat', '--json');
  expect(JSON.parse(first.out)).toMatchObject([{ done: true }, { done: true }]);
  expect((await listed()).map(({ channel }) => channel)).toEqual(['email', 'email']);
  expect((await world.tocsin('deliveries', 'retry', '--all')).code).toBe(0);
  await world.run();
  expect(await listed()).toEqual([]);
  expect(await world.tocsin('deliveries', 'retry', '--all')).toMatchObject({
    code: 0,
    out: 'No message was given up, so none is sent again.\n',
  });
});

test('it says so where no notifier would send it', async () => {
  world.script.set('email', refused);
  await fail();
  await database.pool.query('delete from tocsin.heartbeats');
  expect((await world.tocsin('deliveries', 'retry', '--all')).out).toContain('npx tocsin notifier');
});

test.each([
  [[], 'Name the messages to send again, or all of them with --all'],
  [['abcdef', '--all'], 'Name the messages'],
  [['abcdef', '--channel', 'email'], '--channel goes with --all'],
  [['abc'], 'give 4 characters or more'],
  [['00000000'], 'There is no delivery "00000000". See: npx tocsin deliveries list --state all'],
  [['nonsense'], 'There is no delivery "nonsense"'],
])('deliveries retry %j is wrong usage: exit code 2', async (args, message) => {
  const { code, out, err } = await world.tocsin('deliveries', 'retry', ...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(message);
});

test('a state that is none is wrong usage', async () => {
  expect(await world.tocsin('deliveries', 'list', '--state', 'lost')).toMatchObject({
    code: 2,
    err: expect.stringContaining('Allowed choices are dead, waiting, all'),
  });
});
