import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig, settingsFingerprint } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { expect, test } from 'vitest';
import { emptyFolder, runForTest } from './cli-world.fixture.ts';

const database = await createTestDatabase();
const empty = await createTestDatabase({ empty: true });

const yaml = `version: 1
routes:
  - { name: all, channels: [mail, local], fallback: [chat], escalation: ladder }
channels:
  mail: { type: smtp, to: [a@example.com], from: b@example.com, url: 'smtp://127.0.0.1:1025' }
  chat: { type: slack_bot, token: xoxb-hush, channel: C01 }
  pager: { type: pagerduty, routing_key: ${'k'.repeat(32)} }
  local: { type: outbox }
escalations:
  ladder: { after: 30m, channels: [pager] }
`;

const check = async (connectionString: string, text = yaml) => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'tocsin.yaml'), text);
  const env = { DATABASE_URL: connectionString };
  const { code, out } = await runForTest(['config', 'check'], { env, cwd });
  const { out: json } = await runForTest(['config', 'check', '--json'], { env, cwd });
  const { channels } = loadConfig({ env, cwd });
  const warnings = out.split('\n').filter((line) => line.startsWith('warning:'));
  return { code, out, warnings, json: JSON.parse(json) as Record<string, unknown>, channels };
};

const never = (channel: string): string =>
  `warning: The channel "${channel}" was never tested; do it now: npx tocsin channels test ${channel}`;

test('channels of routes and escalations that were never tested are warned of, those of this machine are not', async () => {
  const { code, warnings, json } = await check(database.connectionString);
  expect(code).toBe(0);
  expect(warnings).toEqual([never('mail'), never('chat'), never('pager')]);
  expect(json).toMatchObject({ ok: true, unverifiedChannels: [{ channel: 'mail', testedAt: null }, {}, {}] });
});

test('what was tested is warned of again when its settings have changed', async () => {
  const { channels } = await check(database.connectionString);
  for (const name of ['mail', 'chat', 'pager']) {
    const channel = channels[name];
    if (channel === undefined) throw new Error(`there is no channel ${name}`);
    await database.pool.query(
      `insert into tocsin.channel_states (channel, verified_at, verified_settings)
       values ($1, '2026-03-02T03:04:05Z', $2)`,
      [name, settingsFingerprint(channel)],
    );
  }
  const { warnings, out } = await check(database.connectionString);
  expect(warnings).toEqual([]);
  expect(out).toContain('The configuration is right.');
  const changed = await check(database.connectionString, yaml.replace('a@example.com', 'c@example.com'));
  expect(changed.warnings).toEqual([
    'warning: The settings of the channel "mail" have changed since it was tested (2026-03-02 03:04:05 UTC); test it again: npx tocsin channels test mail',
  ]);
});

test.each([
  ['cannot be reached', 'postgres://me:hush@127.0.0.1:1/app'],
  ['is of an earlier version', empty.connectionString],
])('where the database %s, nothing is said of channels', async (_, connectionString) => {
  const { code, warnings, json } = await check(connectionString);
  expect(code).toBe(0);
  expect(warnings).toEqual([]);
  expect(json).toMatchObject({ unverifiedChannels: null });
});
