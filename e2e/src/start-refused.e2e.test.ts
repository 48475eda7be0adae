import { createTestDatabase } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { storyTimeoutMs, withStage } from './harness/stage.ts';
import type { Exit, Worker } from './harness/worker.ts';

interface Refusal {
  readonly title: string;
  readonly env: (url: string) => Readonly<Record<string, string>>;
  readonly code: number;
  /** Each has to be in the message. */
  readonly says: readonly string[];
}

const changed = (url: string, change: (parsed: URL) => void): string => {
  const parsed = new URL(url);
  change(parsed);
  return parsed.href;
};

const password = 'a-password-nobody-may-see';

const refusals: readonly Refusal[] = [
  {
    title: 'a wrong password',
    env: (url) => ({ DATABASE_URL: changed(url, (parsed) => void (parsed.password = password)) }),
    code: 1,
    says: ['refuses the user', 'Correct user and password in DATABASE_URL'],
  },
  {
    title: 'a server that does not answer',
    env: (url) => ({
      DATABASE_URL: changed(url, (parsed) => Object.assign(parsed, { port: '1', hostname: '127.0.0.1', password })),
    }),
    code: 1,
    says: ['No PostgreSQL answers at 127.0.0.1:1', 'Start the server'],
  },
  {
    title: 'a database that does not exist',
    env: (url) => ({ DATABASE_URL: changed(url, (parsed) => void (parsed.pathname = '/no_such_database')) }),
    code: 1,
    says: ['There is no database "no_such_database"', 'Create it'],
  },
  {
    title: 'no database at all',
    env: () => ({ DATABASE_URL: '' }),
    code: 2,
    says: ['DATABASE_URL is not set'],
  },
  {
    title: 'wrong settings, all named at once',
    env: () => ({ TOCSIN_DIGEST_WINDOW: 'soon', SMTP_URL: 'http://mail.example', LOG_LEVEL: 'loud' }),
    code: 2,
    says: ['3 problems', 'TOCSIN_DIGEST_WINDOW', 'SMTP_URL', 'LOG_LEVEL'],
  },
];

/** One message on standard error, no stack, nothing secret, nothing started. */
const expectOneMessage = async (worker: Worker, exit: Exit, says: readonly string[]): Promise<void> => {
  const message = worker.errors().join('\n');
  for (const words of says) expect(message).toContain(words);
  expect(message.startsWith(`${worker.app}: `)).toBe(true);
  expect(worker.output()).not.toMatch(/^ +at |Error:|node:internal/m);
  expect(worker.output()).not.toContain(password);
  expect(worker.log().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  expect(exit.signal).toBeNull();
};

describe.each(['detector', 'notifier'] as const)('the %s refuses to start', async (app) => {
  const database = await createTestDatabase();
  const empty = await createTestDatabase({ empty: true });

  test.each(refusals)('on $title', { timeout: storyTimeoutMs }, ({ env, code, says }) =>
    withStage({ database }, async (stage) => {
      stage.expectErrors((_, entry) => entry === null);
      const worker = stage.start(app, { env: env(database.connectionString) });
      const exit = await worker.waitForExit();
      expect(exit.code).toBe(code);
      await expectOneMessage(worker, exit, says);
    }),
  );

  test('on a database that was never migrated', { timeout: storyTimeoutMs }, () =>
    withStage({ database: empty }, async (stage) => {
      stage.expectErrors((_, entry) => entry === null);
      const worker = stage.start(app);
      const exit = await worker.waitForExit();
      expect(exit.code).toBe(1);
      await expectOneMessage(worker, exit, ['has no schema "tocsin" yet', 'npx tocsin migrate']);
    }),
  );

  test('on a schema that is behind, and on one that is ahead', { timeout: storyTimeoutMs }, () =>
    withStage({ database }, async (stage) => {
      stage.expectErrors((_, entry) => entry === null);
      await stage.pool.query(
        `create table public.kept as select * from tocsin.migrations;
         delete from tocsin.migrations where id = (select max(id) from tocsin.migrations)`,
      );
      const behind = stage.start(app);
      await expectOneMessage(behind, await behind.waitForExit(), [
        'is older than this version of Tocsin',
        'npx tocsin migrate',
      ]);
      await stage.pool.query(
        `insert into tocsin.migrations select * from public.kept on conflict do nothing;
         delete from tocsin.migrations;
         insert into tocsin.migrations select * from public.kept;
         insert into tocsin.migrations (name, run_on) values ('9999_from_the_future', now())`,
      );
      const ahead = stage.start(app);
      await expectOneMessage(ahead, await ahead.waitForExit(), [
        'is newer than this version of Tocsin',
        '9999_from_the_future',
      ]);
      await stage.pool.query(`delete from tocsin.migrations where name = '9999_from_the_future'`);
    }),
  );
});
