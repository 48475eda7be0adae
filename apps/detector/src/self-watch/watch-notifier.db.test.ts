import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toPolicy } from '@tocsin/alert-service';
import { loadConfig } from '@tocsin/runtime';
import type { Config } from '@tocsin/runtime';
import { createTestDatabase, startSmtpDouble } from '@tocsin/testing';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { createDetectorBench } from '../detector.fixture.ts';
import { openOwnPath } from './open-own-path.ts';
import { startWatching, watchNotifier } from './watch-notifier.ts';
import type { NotifierWatch, NotifierWatchOptions, OwnPath } from './watch-notifier.ts';

const database = await createTestDatabase();
const { pool, connectionString } = database;
const bench = await createDetectorBench(database);
const directory = await mkdtemp(join(tmpdir(), 'tocsin-own-path-'));
const smtp = await startSmtpDouble();
afterAll(async () => {
  await smtp.stop();
  await rm(directory, { recursive: true, force: true });
});

const staleAfterMs = 60_000;
const config = loadConfig({
  env: {
    DATABASE_URL: connectionString,
    SMTP_URL: smtp.url,
    ALERT_EMAIL_TO: 'ada@example.com',
    ALERT_EMAIL_FROM: 'tocsin@example.com',
    TOCSIN_STATE_DIR: join(directory, 'state'),
  },
  cwd: directory,
});
const log = bench.logger;
const realPath = openOwnPath(config, toPolicy(config), log);
let mailsBefore = 0;
const mails = () => smtp.messages().slice(mailsBefore);

beforeEach(async () => {
  await bench.clear();
  mailsBefore = smtp.messages().length;
});
afterEach(() => smtp.always({ kind: 'accept' }));

let nowMs = 0;
/** A detector that looks, as after a restart. */
const watch = (changes: Partial<NotifierWatchOptions> = {}): NotifierWatch =>
  watchNotifier({
    context: { store: bench.store, queue: bench.queue, log },
    path: realPath,
    instance: 'here-1',
    staleAfterMs,
    monotonicMs: () => nowMs,
    publicUrl: null,
    ...changes,
  });
const beat = () => bench.store.transaction('test', (session) => session.beat('notifier', 'there:7', {}));
const silentFor = async (ms: number): Promise<void> => {
  await beat();
  await pool.query("update tocsin.heartbeats set beat_at = beat_at - $1 * interval '1 millisecond'", [ms]);
};
/** The database's clock has gone on since the cursor was written. */
const waited = (ms: number) =>
  pool.query(
    "update tocsin.cursors set changed_at = changed_at - $1 * interval '1 millisecond' where name = 'self/notifier'",
    [ms],
  );
const decisions = (): readonly unknown[] =>
  bench.log.flatMap(({ decision }) => (decision === undefined ? [] : [decision]));
const told = (through: string[], outcome: 'told' | 'refused' = 'told'): OwnPath => ({
  tell: async (message) => {
    through.push(message.subject);
    return outcome === 'told' ? { outcome, channel: 'pager' } : { outcome };
  },
});

it('says nothing of a notifier that lives, and takes no lock to see it', async () => {
  await silentFor(staleAfterMs - 5_000);
  await bench.store.transaction('test.other', async (session) => {
    await session.lockLog();
    expect(await watch().look()).toBe('fine');
  });
  expect(await bench.signals()).toEqual([]);
});

it('tells of a silent one by mail, once over detectors, looks and restarts', async () => {
  await silentFor(staleAfterMs + 1_000);
  const looks = await Promise.all([watch(), watch({ instance: 'other-2' }), watch()].map(({ look }) => look()));
  expect(looks.toSorted()).toEqual(['known', 'known', 'told']);
  expect(await watch().look()).toBe('known');
  await waited(86_400_000);
  expect(await watch().look()).toBe('known');

  const [mail] = await smtp.waitForMessages(mailsBefore + 1, 10_000).then(mails);
  expect(mails()).toHaveLength(1);
  expect(mail).toMatchObject({ to: ['ada@example.com'], subject: expect.stringContaining('the notifier is silent') });
  expect(mail?.text).toContain('No notifier has given a sign of life since');
  expect(mail?.text).toContain('(there:7)');
  expect(mail?.text).toContain('npx tocsin notifier');
  // It is on record for the notifier that comes back.
  expect(await bench.signals()).toMatchObject([
    { signal: 'FailureDetected', source: 'tocsin', jobType: 'notifier', kind: 'unhealthy', table: 'tocsin' },
  ]);
  expect(decisions()).toEqual(['NotifierSilentTold']);
});

it('sends the end of it when it is back, and tells of the next silence anew', async () => {
  await silentFor(staleAfterMs + 1_000);
  const { look } = watch();
  expect(await look()).toBe('told');
  await beat();
  expect((await Promise.all([look(), watch().look()])).toSorted()).toEqual(['back', 'fine']);
  const signals = await bench.signals();
  expect(signals.map(({ signal, outcomeId }) => [signal, outcomeId])).toEqual([
    ['FailureDetected', signals[0]?.outcomeId],
    ['ConditionEnded', signals[0]?.outcomeId],
  ]);
  expect(await look()).toBe('fine');
  await silentFor(staleAfterMs + 2_000);
  expect(await watch().look()).toBe('told');
  expect((await bench.failures()).length).toBe(2);
  expect(new Set(mails().map(({ messageId }) => messageId)).size).toBe(2);
});

it.each([
  ['before it sent', 0],
  ['after it sent', 1],
])(
  'tells again when the process died %s, when its time is over, with the same identity',
  async (_caption, sentBefore) => {
    await silentFor(staleAfterMs + 1_000);
    const dying: OwnPath = {
      tell: async (message, options) => {
        if (sentBefore > 0) await realPath.tell(message, options);
        throw new Error('killed');
      },
    };
    await expect(watch({ path: dying }).look()).rejects.toThrow('killed');
    expect(mails()).toHaveLength(sentBefore);
    const after = watch({ tellingMaxMs: 30_000 });
    expect(await after.look()).toBe('known');
    await waited(29_000);
    expect(await after.look()).toBe('known');
    await waited(2_000);
    expect(await after.look()).toBe('told');
    expect(await after.look()).toBe('known');
    expect(mails()).toHaveLength(sentBefore + 1);
    expect(new Set(mails().map(({ messageId }) => messageId)).size).toBe(1);
    expect(await bench.failures()).toHaveLength(1);
  },
);

it('goes on to the next channel when the first refuses', async () => {
  await silentFor(staleAfterMs + 1_000);
  const second = await startSmtpDouble();
  try {
    smtp.always({ kind: 'refuse-recipients', code: 550, text: 'no such mailbox' });
    const email = config.channels['email'];
    if (email?.type !== 'smtp') throw new Error('no mail');
    const channels = { ...config.channels, pager: { ...email, url: second.url } };
    const path = openOwnPath({ channels }, { ...toPolicy(config), channels: Object.keys(channels) }, log);
    expect(await watch({ path }).look()).toBe('told');
    expect(mails()).toEqual([]);
    expect(second.messages()).toHaveLength(1);
    expect((await pool.query("select data from tocsin.cursors where name = 'self/notifier'")).rows).toMatchObject([
      { data: { told: true, channel: 'pager' } },
    ]);
  } finally {
    await second.stop();
  }
});

it('does not take a file for somebody who was told, unless there is nothing else', async () => {
  await silentFor(staleAfterMs + 1_000);
  smtp.always({ kind: 'refuse-recipients', code: 550, text: 'no such mailbox' });
  const outbox = { type: 'outbox', directory: join(directory, 'files') } as const;
  const pathOf = (channels: Config['channels']): OwnPath =>
    openOwnPath({ channels }, { ...toPolicy(config), channels: Object.keys(channels) }, log);
  const both = watch({ path: pathOf({ ...config.channels, outbox }), tellingMaxMs: 30_000 });
  expect(await both.look()).toBe('untold');
  expect(await readdir(outbox.directory)).toHaveLength(3);
  await waited(31_000);
  expect(await watch({ path: pathOf({ outbox }), tellingMaxMs: 30_000 }).look()).toBe('told');
});

it('says loudly when no channel takes it, shows it, and tries again', async () => {
  await silentFor(staleAfterMs + 1_000);
  const sent: string[] = [];
  const deaf = watch({ path: told(sent, 'refused'), tellingMaxMs: 30_000 });
  expect(await deaf.look()).toBe('untold');
  expect(deaf.status()).toEqual({ untold: true });
  expect(bench.log.find(({ decision }) => decision === 'NotifierSilentUntold')).toMatchObject({
    level: 'fatal',
    msg: expect.stringMatching(
      /^No channel took a message .* it is tried again in 30 s\. No notifier has given a sign/,
    ),
  });
  expect(await deaf.look()).toBe('known');
  expect(deaf.status()).toEqual({ untold: true });
  await waited(31_000);
  expect(await deaf.look()).toBe('untold');
  expect(sent).toHaveLength(2);
  await beat();
  expect(await deaf.look()).toBe('back');
  expect(deaf.status()).toEqual({ untold: false });
});

it('obeys a rule that names Tocsin itself, and says which', async () => {
  await silentFor(staleAfterMs + 1_000);
  const policy = { ...toPolicy(config), rules: [{ name: 'rules[0]', match: { source: ['tocsin'] }, ignore: true }] };
  expect(await watch({ path: openOwnPath(config, policy, log) }).look()).toBe('told');
  expect(mails()).toEqual([]);
  expect(bench.log.at(-1)).toMatchObject({ outcome: 'ignored', ignoredBy: 'rules[0]' });
});

it('gives twice the time from its start when there was never a notifier', async () => {
  const sent: string[] = [];
  nowMs = 0;
  const { look } = watch({ path: told(sent) });
  nowMs = 2 * staleAfterMs - 1;
  expect(await look()).toBe('fine');
  nowMs = 2 * staleAfterMs;
  expect(await look()).toBe('told');
  expect((await bench.failures())[0]?.error).toContain('No notifier has ever run against this database');
  // A detector that has just been started knows it from the record, and does not take it for over.
  nowMs = 0;
  expect(await watch({ path: told(sent) }).look()).toBe('known');
  expect(sent).toHaveLength(1);
  await beat();
  expect(await look()).toBe('back');
});

it('does not send what it has slept over', async () => {
  await silentFor(staleAfterMs + 1_000);
  const times: number[] = [];
  const slow: NotifierWatchOptions['context']['store'] = {
    transaction: async (name, work) => {
      const result = await bench.store.transaction(name, work);
      nowMs += 100_000;
      return result;
    },
  };
  const path: OwnPath = {
    tell: async (message, options) => {
      times.push(options.withinMs);
      return realPath.tell(message, options);
    },
  };
  const context = { store: slow, queue: bench.queue, log };
  expect(await watch({ context, path }).look()).toBe('untold');
  expect(times).toEqual([-10_000]);
  expect(mails()).toEqual([]);
});

it('leaves time for the next channel when one hangs', async () => {
  await silentFor(staleAfterMs + 1_000);
  const second = await startSmtpDouble();
  try {
    smtp.always({ kind: 'hang-at-greeting' });
    const email = config.channels['email'];
    if (email?.type !== 'smtp') throw new Error('no mail');
    const channels = { email, pager: { ...email, url: second.url } };
    const slow = openOwnPath({ channels }, { ...toPolicy(config), channels: Object.keys(channels) }, log);
    const path: OwnPath = { tell: (message, { signal }) => slow.tell(message, { signal, withinMs: 3_000 }) };
    expect(await watch({ path }).look()).toBe('told');
    expect(second.messages()).toHaveLength(1);
  } finally {
    await second.stop();
  }
});

it('ends what is under way when it is stopped, and leaves it to others', async () => {
  await silentFor(staleAfterMs + 1_000);
  smtp.always({ kind: 'hang-at-greeting' });
  const began = Promise.withResolvers<void>();
  const path: OwnPath = {
    tell: (message, options) => {
      began.resolve();
      return realPath.tell(message, options);
    },
  };
  const running = startWatching(watch({ path }).look, 10, log);
  await began.promise;
  const stoppedMs = performance.now();
  await running.stop();
  expect(performance.now() - stoppedMs).toBeLessThan(10_000);
  smtp.always({ kind: 'accept' });
  const other = watch({ tellingMaxMs: 30_000 });
  expect(await other.look()).toBe('known');
  await waited(31_000);
  expect(await other.look()).toBe('told');
});
