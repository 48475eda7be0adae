import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from './config.ts';
import { loadConfig } from './load-config.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'tocsin-config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

type Variables = Readonly<Record<string, string>>;

function load(yaml: string | undefined, env: Variables = {}): Config {
  if (yaml !== undefined) writeFileSync(join(cwd, 'tocsin.yaml'), yaml);
  return loadConfig({ env, cwd });
}

const mail = { SENDGRID_API_KEY: 'SG.key', ALERT_EMAIL_TO: 'ada@example.com, grace@example.org' };

/** A route that sets nothing but who is told. */
const plain = {
  digest: { windowMs: 900_000, firstAtOnce: false, itemsMax: 100 },
  quietHours: [],
  breakThrough: ['critical'],
} as const;

const selfCare = {
  storm: { keys: 50, withinMs: 300_000, share: 0.5, updateMs: 900_000 },
  flapping: { times: 4, withinMs: 21_600_000, holdMs: 3_600_000 },
  selfWatch: { staleAfterMs: 60_000, auditMs: 60_000, canaryMs: 3_600_000 },
};

const workers = {
  claimSeconds: 10,
  host: '127.0.0.1',
  detectorPort: { port: 9571, isDefault: true },
  notifierPort: { port: 9572, isDefault: true },
};

describe('without a file', () => {
  test('has a default for everything', () => {
    expect(load(undefined)).toEqual({
      version: 1,
      jobs: [
        {
          name: 'research_jobs',
          table: 'public.research_jobs',
          adapter: 'research_jobs',
          pollMs: 2_000,
          reconcileMs: 60_000,
          lookBackMs: 14 * 86_400_000,
          batch: 500,
          columns: {},
          details: {},
        },
      ],
      chains: [],
      schedules: [],
      rules: [{ match: {}, groupBy: ['source', 'job_type', 'target_id'], ignore: false }],
      routes: [{ name: 'default', match: {}, channels: ['outbox'], fallback: [], ...plain }],
      channels: { outbox: { type: 'outbox', directory: join(cwd, '.tocsin/outbox') }, console: { type: 'console' } },
      escalations: {},
      silences: [],
      ...selfCare,
      retention: { outcomesMs: 400 * 86_400_000, deliveriesMs: 90 * 86_400_000 },
      delivery: { attemptTimeoutMs: 30_000, unknownRetryMs: 60_000 },
      workers,
      logLevel: 'info',
      stateDirectory: join(cwd, '.tocsin'),
      warnings: [
        'No e-mail channel: set SENDGRID_API_KEY or SMTP_URL. Until then alerts are only written to the local outbox.',
      ],
    });
  });

  test('takes empty variables for unset ones, as compose files make them', () => {
    expect(
      load(undefined, { DATABASE_URL: '', SMTP_URL: ' ', SLACK_WEBHOOK_URL: '', LOG_LEVEL: '', TOCSIN_CONFIG: '' }),
    ).toEqual(load(undefined));
  });

  test('watches the table in DATABASE_URL, or in JOBS_DATABASE_URL if there is one', () => {
    const own = 'postgres://u:p@db/tocsin';
    const jobs = 'postgresql://u:p@db/jobs';
    expect(load(undefined, { DATABASE_URL: own })).toMatchObject({ databaseUrl: own, jobs: [{ databaseUrl: own }] });
    expect(load(undefined, { DATABASE_URL: own, JOBS_DATABASE_URL: jobs })).toMatchObject({
      databaseUrl: own,
      jobsDatabaseUrl: jobs,
      jobs: [{ databaseUrl: jobs }],
    });
  });

  test('mails through SendGrid when there is a key', () => {
    const config = load(undefined, {
      ...mail,
      ALERT_EMAIL_FROM: 'Tocsin <bell@example.com>',
      SENDGRID_BASE_URL: 'http://127.0.0.1:8025',
    });
    expect(config.channels['email']).toEqual({
      type: 'sendgrid',
      to: ['ada@example.com', 'grace@example.org'],
      from: 'Tocsin <bell@example.com>',
      apiKey: 'SG.key',
      baseUrl: 'http://127.0.0.1:8025',
    });
    expect(config.routes).toEqual([{ name: 'default', match: {}, channels: ['email'], fallback: [], ...plain }]);
    expect(config.warnings).toEqual([]);
  });

  test('mails through SMTP when there is no key', () => {
    const config = load(undefined, {
      SMTP_URL: 'smtp://127.0.0.1:1025',
      ALERT_EMAIL_TO: 'ada@example.com',
      ALERT_EMAIL_FROM: 'bell@example.com',
    });
    expect(config.channels['email']).toEqual({
      type: 'smtp',
      to: ['ada@example.com'],
      from: 'bell@example.com',
      url: 'smtp://127.0.0.1:1025',
    });
  });

  test('falls back from SendGrid to SMTP when there are both', () => {
    const config = load(undefined, { ...mail, SMTP_URL: 'smtps://u:p@mail.example.com' });
    expect(config.channels).toMatchObject({ email: { type: 'sendgrid' }, 'email-smtp': { type: 'smtp' } });
    expect(config.routes[0]).toMatchObject({ channels: ['email'], fallback: ['email-smtp'] });
  });

  test('derives the sender from the first recipient and says so', () => {
    const config = load(undefined, mail);
    expect(config.channels['email']).toMatchObject({ from: 'tocsin@example.com' });
    expect(config.warnings).toEqual([
      'ALERT_EMAIL_FROM is not set; mail is sent from tocsin@example.com. Most providers refuse senders they do not know.',
    ]);
  });

  test('takes the other variables', () => {
    const config = load(undefined, {
      ADMIN_URL: 'https://admin.example.com/{source}/{job_type}/{target_id}?id={id}',
      PUBLIC_URL: 'https://tocsin.example.com/',
      TOCSIN_SECRET: 'a-secret-of-20-chars',
      LOG_LEVEL: 'DEBUG',
      TOCSIN_DIGEST_WINDOW: '0',
    });
    expect(config).toMatchObject({
      adminUrl: 'https://admin.example.com/{source}/{job_type}/{target_id}?id={id}',
      publicUrl: 'https://tocsin.example.com',
      secret: 'a-secret-of-20-chars',
      logLevel: 'debug',
      routes: [{ digest: { windowMs: 0 } }],
    });
  });

  test.each([
    {
      caption: 'there is no channel for a token',
      env: { SLACK_BOT_TOKEN: 'xoxb-1' },
      says: /^SLACK_BOT_TOKEN is set, but no channel of type slack_bot is declared; nothing is sent there\.$/,
    },
    {
      caption: 'there is no channel for a routing key',
      env: { PAGERDUTY_ROUTING_KEY: 'x' },
      says: /^PAGERDUTY_ROUTING_KEY is set, but no channel of type pagerduty is declared/,
    },
    {
      caption: 'a port is mistyped',
      env: { TOCSIN_NOTIFER_PORT: 'off' },
      says: /did you mean TOCSIN_NOTIFIER_PORT\?$/,
    },
    { caption: 'the secret is short', env: { TOCSIN_SECRET: 'short' }, says: /^TOCSIN_SECRET has fewer than 16/ },
    {
      caption: 'a variable looks mistyped',
      env: { TOCSIN_CONFG: 'x.yaml' },
      says: /^The environment variable TOCSIN_CONFG means nothing; did you mean TOCSIN_CONFIG\?$/,
    },
    {
      caption: 'recipients are not used',
      env: { ALERT_EMAIL_TO: 'ada@example.com' },
      says: /ALERT_EMAIL_TO is not used\.$/,
    },
  ])('warns that $caption', ({ env, says }) => {
    expect(load(undefined, env).warnings).toContainEqual(expect.stringMatching(says));
  });

  test('does not warn of variables other parts of the product use', () => {
    expect(
      load(undefined, { ...mail, ALERT_EMAIL_FROM: 'a@b.c', TOCSIN_CRASH_AT: 'x', TOCSIN_CHAOS: '1' }).warnings,
    ).toEqual([]);
  });
});

describe('with a file', () => {
  test('reads every section', () => {
    const config = load(
      `version: 1
jobs:
  - { name: research, table: public.research_jobs, poll: 500ms, reconcile: 5m, look_back: 7d, batch: 100 }
  - { name: billing, table: app.jobs, adapter: background_jobs, database_url: "\${BILLING_URL}" }
chains:
  - name: catalog
    source: apple
    steps: [{ job_type: refresh_catalog, targets: [albums, songs, artists] }, { job_type: rebuild_index }]
rules:
  - { match: { source: apple, job_type: ["refresh_*", rebuild_index] }, severity: critical, group_by: [job_type, source] }
  - { match: { target_id: "test-*" }, ignore: true }
routes:
  - { name: pager, match: { severity: critical }, channels: [oncall], fallback: [console], digest: { window: 1m }, escalation: boss }
  - { name: all, channels: [team, archive] }
channels:
  oncall: { type: smtp, url: "smtp://u:\${MAIL_PASSWORD}@mail.example.com", to: "oncall@example.com, second@example.com", from: bell@example.com }
  team: { type: sendgrid }
  archive: { type: outbox, directory: mails }
  boss: { type: console }
escalations:
  boss: { after: 30m, channels: [boss] }
retention: { outcomes: 30d }
`,
      {
        ...mail,
        ALERT_EMAIL_FROM: 'bell@example.com',
        DATABASE_URL: 'postgres://db/tocsin',
        BILLING_URL: 'postgres://db/billing',
        MAIL_PASSWORD: 'geheim',
      },
    );
    const day = 86_400_000;
    expect(config).toEqual({
      version: 1,
      file: join(cwd, 'tocsin.yaml'),
      databaseUrl: 'postgres://db/tocsin',
      jobs: [
        {
          name: 'research',
          table: 'public.research_jobs',
          adapter: 'research_jobs',
          databaseUrl: 'postgres://db/tocsin',
          pollMs: 500,
          reconcileMs: 300_000,
          lookBackMs: 7 * day,
          batch: 100,
          columns: {},
          details: {},
        },
        {
          name: 'billing',
          table: 'app.jobs',
          adapter: 'background_jobs',
          databaseUrl: 'postgres://db/billing',
          pollMs: 2_000,
          reconcileMs: 60_000,
          lookBackMs: 14 * day,
          batch: 500,
          columns: {},
          details: {},
        },
      ],
      chains: [
        {
          name: 'catalog',
          source: 'apple',
          steps: [
            { jobType: 'refresh_catalog', targets: ['albums', 'songs', 'artists'] },
            { jobType: 'rebuild_index', targets: [] },
          ],
        },
      ],
      schedules: [],
      rules: [
        {
          match: { source: ['apple'], jobType: ['refresh_*', 'rebuild_index'] },
          severity: 'critical',
          groupBy: ['source', 'job_type'],
        },
        { match: { targetId: ['test-*'] }, ignore: true },
        { match: {}, groupBy: ['source', 'job_type', 'target_id'], ignore: false },
      ],
      routes: [
        {
          name: 'pager',
          match: { severity: ['critical'] },
          channels: ['oncall'],
          fallback: ['console'],
          ...plain,
          digest: { ...plain.digest, windowMs: 60_000 },
          escalation: 'boss',
        },
        { name: 'all', match: {}, channels: ['team', 'archive'], fallback: [], ...plain },
      ],
      channels: {
        outbox: { type: 'outbox', directory: join(cwd, '.tocsin/outbox') },
        console: { type: 'console' },
        oncall: {
          type: 'smtp',
          to: ['oncall@example.com', 'second@example.com'],
          from: 'bell@example.com',
          url: 'smtp://u:geheim@mail.example.com',
        },
        team: {
          type: 'sendgrid',
          to: ['ada@example.com', 'grace@example.org'],
          from: 'bell@example.com',
          apiKey: 'SG.key',
        },
        archive: { type: 'outbox', directory: join(cwd, 'mails') },
        boss: { type: 'console' },
      },
      escalations: { boss: { levels: [{ afterMs: 1_800_000, channels: ['boss'] }] } },
      silences: [],
      ...selfCare,
      retention: { outcomesMs: 30 * day, deliveriesMs: 90 * day },
      delivery: { attemptTimeoutMs: 30_000, unknownRetryMs: 60_000 },
      workers,
      logLevel: 'info',
      stateDirectory: join(cwd, '.tocsin'),
      warnings: [],
    });
  });

  test('adds a default route when every route has a match', () => {
    const config = load('version: 1\nroutes: [{ name: apple, match: { source: apple }, channels: [email] }]', mail);
    expect(config.routes.map(({ name, channels }) => [name, channels])).toEqual([
      ['apple', ['email']],
      ['default', ['email']],
    ]);
  });

  test('gives the default route the first e-mail channel of the file, with the others in reserve', () => {
    const yaml =
      'version: 1\nchannels: { c: { type: console }, a: { type: sendgrid }, b: { type: smtp, url: "smtp://h" } }';
    expect(load(yaml, mail).routes[0]).toMatchObject({ name: 'default', channels: ['a'], fallback: ['b'] });
  });

  test('applies TOCSIN_DIGEST_WINDOW only to routes without a window of their own', () => {
    const yaml =
      'version: 1\nroutes: [{ name: a, match: { source: x }, channels: [outbox], digest: { window: 1h } }, { name: b, channels: [outbox] }]';
    const { routes } = load(yaml, { TOCSIN_DIGEST_WINDOW: '5s' });
    expect(routes.map((route) => route.digest.windowMs)).toEqual([3_600_000, 5_000]);
  });

  test.each([
    { caption: 'an empty file', yaml: '' },
    { caption: 'a file of comments', yaml: '# nothing yet\n' },
    { caption: 'sections without content', yaml: 'version: 1\njobs:\nroutes:\nrules:\nchannels:\n' },
  ])('treats $caption like none', ({ yaml }) => {
    const { file, ...config } = load(yaml);
    expect(file).toBe(join(cwd, 'tocsin.yaml'));
    rmSync(join(cwd, 'tocsin.yaml'));
    expect(config).toEqual(load(undefined));
  });

  test('is found by TOCSIN_CONFIG, and by the option before that', () => {
    mkdirSync(join(cwd, 'etc'));
    writeFileSync(join(cwd, 'etc/a.yaml'), 'version: 1\nretention: { outcomes: 1d }');
    writeFileSync(join(cwd, 'etc/b.yaml'), 'version: 1\nretention: { outcomes: 2d }');
    const env = { TOCSIN_CONFIG: 'etc/a.yaml' };
    expect(loadConfig({ env, cwd }).retention.outcomesMs).toBe(86_400_000);
    expect(loadConfig({ env, cwd, file: 'etc/b.yaml' }).retention.outcomesMs).toBe(2 * 86_400_000);
  });

  test('names the file of the option when it does not exist', () => {
    const missing = () => loadConfig({ env: {}, cwd, file: 'nowhere.yaml' });
    expect(missing).toThrow(`configuration file: ${join(cwd, 'nowhere.yaml')} does not exist`);
  });

  test('accepts a route whose jobs an earlier rule may except from being ignored', () => {
    const rules = 'rules: [{ match: { target_id: vip }, ignore: false }, { match: { source: apple }, ignore: true }]';
    const routes = 'routes: [{ name: a, match: { source: apple }, channels: [outbox] }]';
    expect(load(`version: 1\n${rules}\n${routes}`).routes.map(({ name }) => name)).toEqual(['a', 'default']);
  });

  test('reads $${ as a plain ${', () => {
    const yaml = 'version: 1\nchannels: { a: { type: outbox, directory: "/x/$${HOME}" } }';
    expect(load(yaml, { HOME: '/root' }).channels['a']).toEqual({ type: 'outbox', directory: '/x/${HOME}' });
  });
});
