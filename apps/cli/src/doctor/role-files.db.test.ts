import { createPool } from '@tocsin/runtime';
import { createTestDatabase, createTestRole } from '@tocsin/testing';
import { afterAll, expect, test } from 'vitest';
import { runForTest } from '../cli-world.fixture.ts';
import type { Finding } from './finding.ts';
import { missingPrivileges } from './missing-privileges.ts';

const database = await createTestDatabase();
const role = await createTestRole(database, 'notifier');
const pool = createPool({
  connectionString: role.connectionString,
  max: 1,
  applicationName: 'doctor',
  onError: () => {},
});
afterAll(() => pool.end());
await role.grant('notifier.sql');

const run = (...command: readonly string[]) =>
  runForTest(command, {
    env: { DATABASE_URL: role.connectionString, JOBS_DATABASE_URL: database.connectionString },
  });

test('commands work with the role of docs/roles/notifier.sql, and the doctor misses nothing', async () => {
  const { out } = await run('doctor', '--json');
  const { findings } = JSON.parse(out) as { readonly findings: readonly Finding[] };
  expect(findings.filter(({ check }) => check === 'privileges')).toMatchObject([{ status: 'ok' }]);
  // Nothing runs in this test; nothing else may be wrong.
  const running = new Set(['detector', 'notifier']);
  expect(findings.filter(({ check, status }) => status === 'fail' && !running.has(check))).toEqual([]);
  for (const command of [
    ['alerts', 'list'],
    ['replay', '--all'],
    ['events', 'export'],
  ])
    expect((await run(...command)).code, command.join(' ')).toBe(0);
});

test('the doctor names what the role lacks', async () => {
  await database.pool.query(`revoke insert on tocsin.events from "${role.name}"`);
  expect(await missingPrivileges(pool)).toEqual([{ privilege: 'insert', object: 'tocsin.events' }]);
});

test('without usage on the schemas the doctor gives the grants that are missing, and running them is enough', async () => {
  await database.pool.query(
    `revoke usage on schema tocsin, pgboss from "${role.name}";
     revoke select on tocsin.migrations from "${role.name}"`,
  );
  const privileges = async (): Promise<readonly Finding[]> => {
    const { out } = await run('doctor', '--json');
    const { findings } = JSON.parse(out) as { readonly findings: readonly Finding[] };
    return findings.filter(({ check }) => ['schema', 'queue schema', 'privileges'].includes(check));
  };
  const found = await privileges();
  expect(found).toMatchObject([
    {
      check: 'privileges',
      status: 'fail',
      message: `${role.name} lacks usage on schema pgboss, usage on schema tocsin, insert on tocsin.events and select on tocsin.migrations`,
      cure: expect.stringContaining('docs/roles/notifier.sql') as string,
    },
  ]);
  const grants = /: (grant .*;) \(/.exec(found[0]?.cure ?? '')?.[1] ?? 'no grants';
  expect(grants).toBe(
    `grant usage on schema pgboss, tocsin to ${role.name}; ` +
      `grant insert on tocsin.events to ${role.name}; grant select on tocsin.migrations to ${role.name};`,
  );
  await database.pool.query(grants);
  expect((await privileges()).map(({ check, status }) => [check, status])).toEqual([
    ['schema', 'ok'],
    ['queue schema', 'ok'],
    ['privileges', 'ok'],
  ]);
});
