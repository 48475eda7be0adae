import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createTestDatabase,
  startPagerDutyDouble,
  startSendGridDouble,
  startSentryDouble,
  startSlackDouble,
  startSmtpDouble,
  startWebhookDouble,
} from '@tocsin/testing';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { emptyFolder, runForTest } from './cli-world.fixture.ts';
import type { CliRun } from './cli-world.fixture.ts';

const database = await createTestDatabase();
afterEach(() => database.pool.query('delete from tocsin.channel_states'));

/** A folder whose tocsin.yaml declares these channels; `route` is the one that is used. */
const declare = (channels: Readonly<Record<string, object>>): string => {
  const cwd = emptyFolder();
  const routes = [{ name: 'default', channels: Object.keys(channels) }];
  // YAML takes JSON.
  writeFileSync(join(cwd, 'tocsin.yaml'), JSON.stringify({ version: 1, channels, routes }));
  return cwd;
};
const env = { DATABASE_URL: database.connectionString };
const testChannel = (cwd: string, name: string, ...args: readonly string[]): Promise<CliRun> =>
  runForTest(['channels', 'test', name, ...args], { env, cwd });
const verified = async (): Promise<readonly string[]> =>
  (
    await database.pool.query<{ channel: string }>(
      'select channel from tocsin.channel_states where verified_at is not null order by channel',
    )
  ).rows.map(({ channel }) => channel);
const mail = { to: ['ada@example.com'], from: 'Tocsin <tocsin@example.com>' };

test('the outbox gets a message that says it is a test', async () => {
  const cwd = emptyFolder();
  const { code, out, err } = await testChannel(cwd, 'outbox');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^outbox: the test message was accepted for .*outbox\. Look whether it arrived\.$/m);
  const files = readdirSync(join(cwd, '.tocsin/outbox'));
  const text = readFileSync(join(cwd, '.tocsin/outbox', files.find((name) => name.endsWith('.txt')) ?? ''), 'utf8');
  expect(text).toContain('This is a test. Nothing failed; alerts will look like this.');
  expect(text).toContain('npx tocsin channels test');
  expect(await verified()).toEqual(['outbox']);
});

test('SMTP: greeting and login are checked, then a mail goes out', async () => {
  const smtp = await startSmtpDouble({ login: { user: 'ada', password: 'hush-hush' } });
  onTestFinished(() => smtp.stop());
  const cwd = declare({ email: { type: 'smtp', url: smtp.url, ...mail } });
  const { code, out } = await testChannel(cwd, 'email');
  expect(code).toBe(0);
  expect(out).toMatch(
    /^email: the settings work: 127\.0\.0\.1:\d+ answers and takes the login\.\nemail: the test message was accepted for ada@example\.com\. Look whether it arrived\.\n$/,
  );
  expect(smtp.messages()).toMatchObject([
    { to: ['ada@example.com'], subject: expect.stringContaining('Test message') },
  ]);
  expect(await verified()).toEqual(['email']);

  const checked = await testChannel(cwd, 'email', '--check');
  expect(checked).toMatchObject({ code: 0, out: expect.stringContaining('the settings work') });
  expect(checked.out).not.toContain('test message');
  expect(smtp.messages()).toHaveLength(1);
});

test('a parked channel that takes the test message is open again; a check alone does not open it', async () => {
  const smtp = await startSmtpDouble();
  onTestFinished(() => smtp.stop());
  const cwd = declare({ email: { type: 'smtp', url: smtp.url, ...mail } });
  await database.pool.query(
    `insert into tocsin.channel_states (channel, parked_at, parked_reason) values ('email', now(), 'unauthorized (401)')`,
  );
  const parked = async (): Promise<unknown> =>
    (await database.pool.query('select parked_at is not null as parked from tocsin.channel_states')).rows;
  expect((await testChannel(cwd, 'email', '--check')).code).toBe(0);
  expect(await parked()).toEqual([{ parked: true }]);
  const { code, out } = await testChannel(cwd, 'email');
  expect(code).toBe(0);
  expect(out).toContain('email: it was closed and is open again; a running notifier sends what waited for it');
  expect(await parked()).toEqual([{ parked: false }]);
  expect((await testChannel(cwd, 'email')).out).not.toContain('open again');
});

test('SMTP: a login that is refused is told without its password, and no mail is tried', async () => {
  const smtp = await startSmtpDouble({ login: { user: 'ada', password: 'right' } });
  onTestFinished(() => smtp.stop());
  const url = `smtp://ada:hush-hush@127.0.0.1:${smtp.port}`;
  const { code, out, err } = await testChannel(declare({ email: { type: 'smtp', url, ...mail } }), 'email');
  expect(code).toBe(1);
  expect(out).toMatch(/^email: the settings do not work: /);
  expect(out + err).not.toContain('hush-hush');
  expect(smtp.messages()).toEqual([]);
  expect(await verified()).toEqual([]);
});

test('SendGrid: the key is checked in the sandbox, then a mail goes out', async () => {
  const sendgrid = await startSendGridDouble();
  onTestFinished(() => sendgrid.stop());
  const cwd = declare({
    email: { type: 'sendgrid', api_key: sendgrid.apiKey, base_url: sendgrid.baseUrl, ...mail },
  });
  const { code, out } = await testChannel(cwd, 'email');
  expect(code).toBe(0);
  expect(out).toContain('email: the settings work: SendGrid takes the key');
  expect(sendgrid.requests()).toHaveLength(2);
  expect(sendgrid.messages()).toMatchObject([
    { to: ['ada@example.com'], text: expect.stringContaining('This is a test') },
  ]);
  expect(await verified()).toEqual(['email']);
});

test('SendGrid: a wrong key is told without being shown, and nothing else is tried', async () => {
  const sendgrid = await startSendGridDouble({ apiKey: 'SG.the-right-one' });
  onTestFinished(() => sendgrid.stop());
  const key = 'SG.hush-hush.the-wrong-one';
  const cwd = declare({ email: { type: 'sendgrid', api_key: key, base_url: sendgrid.baseUrl, ...mail } });
  const { code, out, err } = await testChannel(cwd, 'email');
  expect(code).toBe(1);
  expect(out).toMatch(/^email: the settings do not work: .*\n$/);
  expect(out + err).not.toContain('hush-hush');
  expect(sendgrid.requests()).toHaveLength(1);
  const json = await testChannel(cwd, 'email', '--json');
  expect(json.code).toBe(1);
  expect(JSON.parse(json.out)).toMatchObject({
    channel: 'email',
    type: 'sendgrid',
    ok: false,
    check: { ok: false },
    outcome: null,
    verified: false,
  });
  expect(await verified()).toEqual([]);
});

test('SendGrid: a mail that is refused after a good check is told with the reason', async () => {
  const sendgrid = await startSendGridDouble();
  onTestFinished(() => sendgrid.stop());
  sendgrid.next({ kind: 'accept' }, { kind: 'status', status: 403 });
  const cwd = declare({
    email: { type: 'sendgrid', api_key: sendgrid.apiKey, base_url: sendgrid.baseUrl, ...mail },
  });
  const { code, out } = await testChannel(cwd, 'email');
  expect(code).toBe(1);
  expect(out).toMatch(/^email: the test message was not accepted \(unauthorized\): /m);
  expect(await verified()).toEqual([]);
});

test('Slack by a webhook: known to Slack, then a message; the address stays secret', async () => {
  const slack = await startSlackDouble();
  onTestFinished(() => slack.stop());
  const cwd = declare({ chat: { type: 'slack_webhook', url: slack.webhookUrl } });
  const { code, out } = await testChannel(cwd, 'chat');
  expect(code).toBe(0);
  expect(out).toContain('chat: the settings work: Slack knows the webhook.');
  expect(out).toMatch(
    /chat: the test message was accepted for webhook at 127\.0\.0\.1:\d+\. Look whether it arrived\./,
  );
  expect(slack.messages()).toMatchObject([{ via: 'webhook', text: expect.stringContaining('Test message') }]);
  expect(out).not.toContain('webhook-secret');

  const gone = declare({ chat: { type: 'slack_webhook', url: `${slack.baseUrl}services/T0DOUBLE/B0/hush-hush` } });
  const refused = await testChannel(gone, 'chat');
  expect(refused.code).toBe(1);
  expect(refused.out).toMatch(/^chat: the settings do not work: /);
  expect(refused.out + refused.err).not.toContain('hush-hush');
});

test('Slack by a bot, PagerDuty, Sentry and a signed webhook get the same message', async () => {
  const slack = await startSlackDouble();
  const pagerduty = await startPagerDutyDouble();
  const sentry = await startSentryDouble();
  const hook = await startWebhookDouble();
  onTestFinished(async () => {
    for (const double of [slack, pagerduty, sentry, hook]) await double.stop();
  });
  const cwd = declare({
    bot: { type: 'slack_bot', token: slack.token, channel: slack.channel, base_url: slack.apiUrl },
    pager: { type: 'pagerduty', routing_key: pagerduty.routingKey, base_url: pagerduty.baseUrl },
    errors: { type: 'sentry', dsn: sentry.dsn },
    hook: { type: 'webhook', url: hook.url, secret: hook.secret, allow_private: true },
  });
  for (const name of ['bot', 'pager', 'errors', 'hook'])
    expect(await testChannel(cwd, name)).toMatchObject({
      code: 0,
      out: expect.stringContaining(`${name}: the test message was accepted for`),
      err: '',
    });
  expect(slack.messages()).toHaveLength(1);
  expect(pagerduty.taken()).toHaveLength(1);
  expect(sentry.taken()).toHaveLength(1);
  expect(hook.taken()).toHaveLength(1);
  expect(await verified()).toEqual(['bot', 'errors', 'hook', 'pager']);
});

test('where a check alone proves nothing, it says so', async () => {
  const { code, out } = await testChannel(emptyFolder(), 'outbox', '--check');
  expect(code).toBe(0);
  expect(out).toBe('outbox: this kind of channel has nothing to check without telling somebody.\n');
  expect(await verified()).toEqual([]);
});

test('a channel that does not exist is wrong usage, with those that do', async () => {
  expect(await testChannel(declare({ chat: { type: 'console' } }), 'email')).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/^tocsin: There is no channel "email"; there is .*chat/),
  });
  expect(await runForTest(['channels', 'test'], { env })).toMatchObject({ code: 2 });
});

test('without a database a channel is tested all the same', async () => {
  const cwd = emptyFolder();
  mkdirSync(join(cwd, '.tocsin'));
  const { code, out } = await runForTest(['channels', 'test', 'outbox', '--json'], { cwd });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ ok: true, outcome: { outcome: 'accepted' }, verified: false });
});

test('what is printed for programs is one document, also when the message went out', async () => {
  const { code, out } = await testChannel(emptyFolder(), 'outbox', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ channel: 'outbox', ok: true, check: null, verified: true });
});
