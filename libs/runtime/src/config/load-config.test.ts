import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../errors.ts';
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

/** All problems as lines, with the folder of the test taken out. */
function problemsOf(yaml: string | undefined, env: Variables = {}): readonly string[] {
  try {
    load(yaml, env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`.replaceAll(cwd, '.'));
  }
}

const mail = { SENDGRID_API_KEY: 'SG.key', ALERT_EMAIL_TO: 'ada@example.com, grace@example.org' };

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
        },
      ],
      chains: [],
      rules: [{ match: {}, severity: 'error', groupBy: ['source', 'job_type', 'target_id'], ignore: false }],
      routes: [{ name: 'default', match: {}, channels: ['outbox'], fallback: [], digest: { windowMs: 900_000 } }],
      channels: { outbox: { type: 'outbox', directory: join(cwd, '.tocsin/outbox') }, console: { type: 'console' } },
      escalations: {},
      retention: { outcomesMs: 400 * 86_400_000, deliveriesMs: 90 * 86_400_000 },
      logLevel: 'info',
      stateDirectory: join(cwd, '.tocsin'),
      warnings: ['No e-mail channel: set SENDGRID_API_KEY or SMTP_URL. Until then alerts are only written to the local outbox.'],
    });
  });

  test('takes empty variables for unset ones, as compose files make them', () => {
    expect(load(undefined, { DATABASE_URL: '', SMTP_URL: ' ', SLACK_WEBHOOK_URL: '', LOG_LEVEL: '', TOCSIN_CONFIG: '' })).toEqual(load(undefined));
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
    const config = load(undefined, { ...mail, ALERT_EMAIL_FROM: 'Tocsin <bell@example.com>', SENDGRID_BASE_URL: 'http://127.0.0.1:8025' });
    expect(config.channels['email']).toEqual({
      type: 'sendgrid',
      to: ['ada@example.com', 'grace@example.org'],
      from: 'Tocsin <bell@example.com>',
      apiKey: 'SG.key',
      baseUrl: 'http://127.0.0.1:8025',
    });
    expect(config.routes).toEqual([{ name: 'default', match: {}, channels: ['email'], fallback: [], digest: { windowMs: 900_000 } }]);
    expect(config.warnings).toEqual([]);
  });

  test('mails through SMTP when there is no key', () => {
    const config = load(undefined, { SMTP_URL: 'smtp://127.0.0.1:1025', ALERT_EMAIL_TO: 'ada@example.com', ALERT_EMAIL_FROM: 'bell@example.com' });
    expect(config.channels['email']).toEqual({ type: 'smtp', to: ['ada@example.com'], from: 'bell@example.com', url: 'smtp://127.0.0.1:1025' });
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
    { caption: 'Slack is not a channel yet', env: { SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T/B/x' }, says: /^SLACK_WEBHOOK_URL is set, but/ },
    { caption: 'the secret is short', env: { TOCSIN_SECRET: 'short' }, says: /^TOCSIN_SECRET has fewer than 16/ },
    { caption: 'a variable looks mistyped', env: { TOCSIN_CONFG: 'x.yaml' }, says: /^The environment variable TOCSIN_CONFG means nothing; did you mean TOCSIN_CONFIG\?$/ },
    { caption: 'recipients are not used', env: { ALERT_EMAIL_TO: 'ada@example.com' }, says: /ALERT_EMAIL_TO is not used\.$/ },
  ])('warns that $caption', ({ env, says }) => {
    expect(load(undefined, env).warnings).toContainEqual(expect.stringMatching(says));
  });

  test('does not warn of variables other parts of the product use', () => {
    expect(load(undefined, { ...mail, ALERT_EMAIL_FROM: 'a@b.c', TOCSIN_CRASH_AT: 'x', TOCSIN_CHAOS: '1' }).warnings).toEqual([]);
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
      { ...mail, ALERT_EMAIL_FROM: 'bell@example.com', DATABASE_URL: 'postgres://db/tocsin', BILLING_URL: 'postgres://db/billing', MAIL_PASSWORD: 'geheim' },
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
      rules: [
        { match: { source: ['apple'], jobType: ['refresh_*', 'rebuild_index'] }, severity: 'critical', groupBy: ['source', 'job_type'] },
        { match: { targetId: ['test-*'] }, ignore: true },
        { match: {}, severity: 'error', groupBy: ['source', 'job_type', 'target_id'], ignore: false },
      ],
      routes: [
        { name: 'pager', match: { severity: ['critical'] }, channels: ['oncall'], fallback: ['console'], digest: { windowMs: 60_000 }, escalation: 'boss' },
        { name: 'all', match: {}, channels: ['team', 'archive'], fallback: [], digest: { windowMs: 900_000 } },
      ],
      channels: {
        outbox: { type: 'outbox', directory: join(cwd, '.tocsin/outbox') },
        console: { type: 'console' },
        oncall: { type: 'smtp', to: ['oncall@example.com', 'second@example.com'], from: 'bell@example.com', url: 'smtp://u:geheim@mail.example.com' },
        team: { type: 'sendgrid', to: ['ada@example.com', 'grace@example.org'], from: 'bell@example.com', apiKey: 'SG.key' },
        archive: { type: 'outbox', directory: join(cwd, 'mails') },
        boss: { type: 'console' },
      },
      escalations: { boss: { afterMs: 1_800_000, channels: ['boss'] } },
      retention: { outcomesMs: 30 * day, deliveriesMs: 90 * day },
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
    const yaml = 'version: 1\nchannels: { c: { type: console }, a: { type: sendgrid }, b: { type: smtp, url: "smtp://h" } }';
    expect(load(yaml, mail).routes[0]).toMatchObject({ name: 'default', channels: ['a'], fallback: ['b'] });
  });

  test('applies TOCSIN_DIGEST_WINDOW only to routes without a window of their own', () => {
    const yaml = 'version: 1\nroutes: [{ name: a, match: { source: x }, channels: [outbox], digest: { window: 1h } }, { name: b, channels: [outbox] }]';
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

  test('reads $${ as a plain ${', () => {
    const yaml = 'version: 1\nchannels: { a: { type: outbox, directory: "/x/$${HOME}" } }';
    expect(load(yaml, { HOME: '/root' }).channels['a']).toEqual({ type: 'outbox', directory: '/x/${HOME}' });
  });

  test('warns of channels and escalations that nothing uses', () => {
    const yaml = 'version: 1\nroutes: [{ name: all, channels: [outbox] }]\nchannels: { a: { type: console } }\nescalations: { e: { after: 1m, channels: [outbox] } }';
    expect(load(yaml).warnings).toEqual([
      'The channel "a" is declared, but no route or escalation uses it.',
      'The escalation "e" is declared, but no route uses it.',
    ]);
  });
});

describe('refuses in the environment', () => {
  test.each<{ caption: string; env: Variables; problems: string[] }>([
    { caption: 'a database of another kind, without its password', env: { DATABASE_URL: 'mysql://u:geheim@db/x' }, problems: ['?'] },
    { caption: 'a database that is no URL', env: { JOBS_DATABASE_URL: 'geheim' }, problems: ['?'] },
    { caption: 'a key with a line break', env: { SENDGRID_API_KEY: 'SG.geheim\nX: 1' }, problems: ['?'] },
    { caption: 'a key without recipients', env: { SENDGRID_API_KEY: 'SG.geheim' }, problems: ['?'] },
    { caption: 'an SMTP server without recipients', env: { SMTP_URL: 'smtp://h' }, problems: ['?'] },
    { caption: 'both providers without recipients, once', env: { SMTP_URL: 'smtp://h', SENDGRID_API_KEY: 'SG.k' }, problems: ['?'] },
    { caption: 'a wrong recipient, without also calling it missing', env: { SENDGRID_API_KEY: 'SG.k', ALERT_EMAIL_TO: 'ada@example.com, grace' }, problems: ['?'] },
    { caption: 'a recipient list of commas', env: { SMTP_URL: 'smtp://h', ALERT_EMAIL_TO: ',' }, problems: ['?'] },
    { caption: 'a line break in a recipient', env: { ALERT_EMAIL_TO: 'ada@example.com\nBcc: eve@example.com' }, problems: ['?'] },
    { caption: 'a line break after a sender', env: { ...mail, ALERT_EMAIL_FROM: 'ada@example.com\r\n' }, problems: ['?'] },
    { caption: 'an SMTP address of another kind', env: { ...mail, SMTP_URL: 'mail.example.com:587' }, problems: ['?'] },
    { caption: 'an API address that is no web address', env: { SENDGRID_BASE_URL: 'ftp://x' }, problems: ['?'] },
    { caption: 'an unknown placeholder', env: { ADMIN_URL: 'https://a.example.com/{jobtype}' }, problems: ['?'] },
    { caption: 'a placeholder in a host', env: { ADMIN_URL: 'https://{source}.example.com/' }, problems: ['?'] },
    { caption: 'a lone brace', env: { ADMIN_URL: 'https://a.example.com/{id' }, problems: ['?'] },
    { caption: 'a script as admin page', env: { ADMIN_URL: 'javascript:alert({id})' }, problems: ['?'] },
    { caption: 'a public address with a query', env: { PUBLIC_URL: 'https://t.example.com/?a=1' }, problems: ['?'] },
    { caption: 'a Slack address that is none', env: { SLACK_WEBHOOK_URL: 'T0/B0/geheim' }, problems: ['?'] },
    { caption: 'an unknown log level, with the nearest one', env: { LOG_LEVEL: 'warning' }, problems: ['?'] },
    { caption: 'a window without a unit', env: { TOCSIN_DIGEST_WINDOW: '15' }, problems: ['?'] },
    { caption: 'a window that is too long', env: { TOCSIN_DIGEST_WINDOW: '8d' }, problems: ['?'] },
    { caption: 'a file that does not exist', env: { TOCSIN_CONFIG: 'nowhere.yaml' }, problems: ['?'] },
    { caption: 'a folder as file', env: { TOCSIN_CONFIG: '.' }, problems: ['?'] },
  ])('$caption', ({ env, problems }) => {
    expect(problemsOf(undefined, env)).toEqual(problems);
  });
});

const file = (text: string) => `version: 1\n${text}`;
const route = (text: string) => file(`routes: [{ name: a, channels: [outbox], ${text} }]`);
const job = (text: string) => file(`jobs: [{ name: a, table: p.t, ${text} }]`);
const rule = (text: string) => file(`rules: [{ ${text} }]`);
const channel = (text: string) => file(`channels: { a: { ${text} } }`);

describe('refuses in the file', () => {
  test.each<{ caption: string; yaml: string; env?: Variables; problems: string[] }>([
    { caption: 'text that is no YAML, with line and column', yaml: 'version: 1\nroutes: [\n  { name: a\n', problems: ['?'] },
    { caption: 'a pattern that begins with an unquoted star', yaml: rule('match: { source: *apple }'), problems: ['?'] },
    { caption: 'a key that comes twice', yaml: 'version: 1\nrules: []\nrules: []\n', problems: ['?'] },
    { caption: 'a second document', yaml: 'version: 1\n---\nversion: 1\n', problems: ['?'] },
    { caption: 'an unknown tag', yaml: 'version: !!js/function 1\n', problems: ['?'] },
    { caption: 'a list at the top', yaml: '- version: 1', problems: ['?'] },
    { caption: 'aliases that multiply', yaml: `version: 1\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]`, problems: ['?'] },
    { caption: 'a file that is too large', yaml: `# ${'x'.repeat(1_000_000)}`, problems: ['?'] },
    { caption: 'a missing version', yaml: 'rules: []', problems: ['?'] },
    { caption: 'another version', yaml: 'version: 2', problems: ['?'] },
    { caption: 'an unknown section, with the nearest one', yaml: file('chanels: {}'), problems: ['?'] },
    { caption: 'several unknown keys, each by itself', yaml: route('chanel: x, escalate: y'), problems: ['?'] },
    { caption: 'an unknown key in a channel, with the keys of its type', yaml: channel('type: smtp, url: "smtp://h", to: a@b.c, apikey: x'), problems: ['?'] },
    { caption: 'an unknown key that is like none', yaml: file('retention: { forever: 1d }'), problems: ['?'] },
    { caption: 'a mapping where a list belongs', yaml: file('jobs: { name: a }'), problems: ['?'] },
    { caption: 'text where a mapping belongs', yaml: file('routes: [all]'), problems: ['?'] },
    { caption: 'a number where text belongs', yaml: rule('match: { target_id: 42 }'), problems: ['?'] },
    { caption: 'a number in a list of texts', yaml: rule('match: { target_id: [a, 42] }'), problems: ['?'] },
    { caption: 'text where a number belongs', yaml: job('batch: many'), problems: ['?'] },
    { caption: 'a reference where a number belongs', yaml: job('batch: "${BATCH}"'), env: { BATCH: '5' }, problems: ['?'] },
    { caption: 'text where true or false belongs', yaml: rule('match: {}, ignore: "yes"'), problems: ['?'] },
    { caption: 'no job table at all', yaml: file('jobs: []'), problems: ['?'] },
    { caption: 'a table without its schema', yaml: file('jobs: [{ name: a, table: research_jobs }]'), problems: ['?'] },
    { caption: 'a table name with SQL in it', yaml: file('jobs: [{ name: a, table: "p.t; drop table x" }]'), problems: ['?'] },
    { caption: 'a job table without name and table', yaml: file('jobs: [{ adapter: research_jobs }]'), problems: ['?'] },
    { caption: 'a poll without a unit', yaml: job('poll: 2'), problems: ['?'] },
    { caption: 'a poll that is too short', yaml: job('poll: 99ms'), problems: ['?'] },
    { caption: 'a reconcile that is too long', yaml: job('reconcile: 25h'), problems: ['?'] },
    { caption: 'a duration in words', yaml: job('look_back: two weeks'), problems: ['?'] },
    { caption: 'a batch of nothing', yaml: job('batch: 0'), problems: ['?'] },
    { caption: 'a batch that is too large', yaml: job('batch: 10001'), problems: ['?'] },
    { caption: 'half a row', yaml: job('batch: 0.5'), problems: ['?'] },
    { caption: 'a database of another kind, without its password', yaml: job('database_url: "mysql://u:geheim@h/d"'), problems: ['?'] },
    { caption: 'a wrong database from the environment, by its reference only', yaml: job('database_url: "${X}"'), env: { X: 'mysql://u:geheim@h/d' }, problems: ['?'] },
    { caption: 'a name with a slash', yaml: file('jobs: [{ name: a/b, table: p.t }]'), problems: ['?'] },
    { caption: 'two job tables of one name', yaml: file('jobs: [{ name: a, table: p.t }, { name: a, table: p.u }]'), problems: ['?'] },
    { caption: 'one table watched twice', yaml: file('jobs: [{ name: a, table: p.t }, { name: b, table: p.t }]'), problems: ['?'] },
    { caption: 'a chain without steps', yaml: file('chains: [{ name: a, source: s, steps: [] }]'), problems: ['?'] },
    { caption: 'two chains of one name and source', yaml: file('chains: [{ name: a, source: s, steps: [{ job_type: x }] }, { name: a, source: s, steps: [{ job_type: y }] }]'), problems: ['?'] },
    { caption: 'a job that is in two chains', yaml: file('chains: [{ name: a, source: s, steps: [{ job_type: x, targets: [u, v] }] }, { name: b, source: s, steps: [{ job_type: x, targets: [v] }] }]'), problems: ['?'] },
    { caption: 'a job that is in two steps', yaml: file('chains: [{ name: a, source: s, steps: [{ job_type: x }, { job_type: x, targets: [v] }] }]'), problems: ['?'] },
    { caption: 'a rule without match', yaml: rule('severity: info'), problems: ['?'] },
    { caption: 'an unknown severity, with the nearest one', yaml: rule('match: {}, severity: critcal'), problems: ['?'] },
    { caption: 'a grouping without job_type', yaml: rule('match: {}, group_by: [source]'), problems: ['?'] },
    { caption: 'a grouping by an unknown field', yaml: rule('match: {}, group_by: [source, job_type, target]'), problems: ['?'] },
    { caption: 'a grouping that repeats a field', yaml: rule('match: {}, group_by: [source, job_type, source]'), problems: ['?'] },
    { caption: 'an empty pattern', yaml: rule('match: { source: "" }'), problems: ['?'] },
    { caption: 'an empty list of patterns', yaml: rule('match: { source: [] }'), problems: ['?'] },
    { caption: 'a pattern with a double star', yaml: rule('match: { source: [a, "b**"] }'), problems: ['?'] },
    { caption: 'a pattern of another dialect', yaml: rule('match: { source: "a[bc]?" }'), problems: ['?'] },
    { caption: 'a negated pattern', yaml: rule('match: { source: "!a" }'), problems: ['?'] },
    { caption: 'a pattern that ends with a blank', yaml: rule('match: { source: "a " }'), problems: ['?'] },
    { caption: 'two routes of one name', yaml: file('routes: [{ name: a, channels: [outbox] }, { name: a, channels: [console] }]'), problems: ['?'] },
    { caption: 'a route to nobody', yaml: file('routes: [{ name: a, channels: [] }]'), problems: ['?'] },
    { caption: 'a route without channels', yaml: file('routes: [{ name: a }]'), problems: ['?'] },
    { caption: 'an unknown channel, with the nearest one', yaml: file('routes: [{ name: a, channels: [emial] }]'), env: mail, problems: ['?'] },
    { caption: 'an unknown channel that is like none', yaml: file('routes: [{ name: a, channels: [pagerduty] }]'), problems: ['?'] },
    { caption: 'a channel named twice', yaml: file('routes: [{ name: a, channels: [outbox, outbox] }]'), problems: ['?'] },
    { caption: 'an unknown fallback', yaml: route('fallback: [consol]'), problems: ['?'] },
    { caption: 'an empty fallback', yaml: route('fallback: []'), problems: ['?'] },
    { caption: 'a channel as its own fallback', yaml: route('fallback: [outbox]'), problems: ['?'] },
    { caption: 'an unknown escalation', yaml: route('escalation: boss'), problems: ['?'] },
    { caption: 'an escalation to an unknown channel', yaml: `${route('escalation: e')}\nescalations: { e: { after: 1m, channels: [x, console] } }`, problems: ['?'] },
    { caption: 'an escalation to nobody', yaml: `${route('escalation: e')}\nescalations: { e: { after: 0, channels: [] } }`, problems: ['?'] },
    { caption: 'a partial route called default', yaml: file('routes: [{ name: default, match: { source: a }, channels: [outbox] }]'), problems: ['?'] },
    { caption: 'a route for a severity no rule gives', yaml: file('rules: [{ match: {}, severity: warning }, { match: { source: x }, severity: critical }]\nroutes: [{ name: a, match: { severity: [critical, error] }, channels: [outbox] }]'), problems: ['?'] },
    { caption: 'a route whose jobs are all ignored', yaml: file('rules: [{ match: { source: "test-*" }, ignore: true }]\nroutes: [{ name: a, match: { source: [test-a, "test-b*"], job_type: x }, channels: [outbox] }]'), problems: ['?'] },
    { caption: 'a configuration that ignores everything', yaml: file('rules: [{ match: {}, ignore: true }]\nroutes: [{ name: a, channels: [outbox] }]'), problems: ['?'] },
    { caption: 'a window that is too long', yaml: route('digest: { window: 8d }'), problems: ['?'] },
    { caption: 'an unknown type of channel, with the nearest one', yaml: channel('type: sengrid'), problems: ['?'] },
    { caption: 'a channel without a type', yaml: channel('to: a@b.c'), problems: ['?'] },
    { caption: 'a channel name with a blank', yaml: file('channels: { "a b": { type: console } }'), problems: ['?'] },
    { caption: 'a built-in name for another type', yaml: file('channels: { outbox: { type: console } }'), problems: ['?'] },
    { caption: 'a SendGrid channel without anything', yaml: channel('type: sendgrid'), problems: ['?'] },
    { caption: 'an SMTP channel without an address', yaml: channel('type: smtp, to: a@b.c'), problems: ['?'] },
    { caption: 'an SMTP channel without recipients', yaml: channel('type: smtp, url: "smtp://h"'), problems: ['?'] },
    { caption: 'an SMTP address that is none, without its password', yaml: channel('type: smtp, to: a@b.c, url: "u:geheim@h"'), problems: ['?'] },
    { caption: 'a wrong recipient', yaml: channel('type: smtp, url: "smtp://h", to: [a@b.c, "a b@c"]'), problems: ['?'] },
    { caption: 'no recipient', yaml: channel('type: smtp, url: "smtp://h", to: []'), problems: ['?'] },
    { caption: 'a recipient that is a number', yaml: channel('type: smtp, url: "smtp://h", to: 7'), problems: ['?'] },
    { caption: 'a line break in a sender', yaml: channel('type: smtp, url: "smtp://h", to: a@b.c, from: "a@b.c\\r\\nBcc: e@f.g"'), problems: ['?'] },
    { caption: 'an API key with a blank, without showing it', yaml: channel('type: sendgrid, to: a@b.c, api_key: "ge heim"'), problems: ['?'] },
    { caption: 'a reference to a variable that is not set', yaml: channel('type: sendgrid, to: a@b.c, api_key: "${SENDGRID_KEY}"'), problems: ['?'] },
    { caption: 'an embedded reference that is not set, without a follow-on', yaml: channel('type: smtp, to: a@b.c, url: "smt${X}"'), problems: ['?'] },
    { caption: 'a reference with a default, which does not exist here', yaml: channel('type: outbox, directory: "${DIR:-x}"'), env: { DIR: 'y' }, problems: ['?'] },
    { caption: 'a reference that does not end', yaml: channel('type: outbox, directory: "${DIR"'), env: { DIR: 'y' }, problems: ['?'] },
    { caption: 'an outcome retention that is too short', yaml: file('retention: { outcomes: 1h }'), problems: ['?'] },
  ])('$caption', ({ yaml, env = {}, problems }) => {
    expect(problemsOf(yaml, env)).toEqual(problems);
  });

  test('and tells everything that is wrong in file and environment at once', () => {
    const yaml = file('jobs: [{ name: a, table: t }]\nroutes: [{ name: a, channels: [emial], escalation: boss }]\nchannels: { email: { type: smtp } }\nrule: []');
    const paths = problemsOf(yaml, { LOG_LEVEL: 'loud', DATABASE_URL: 'x' }).map((line) => line.split(': ')[0]);
    expect(paths.toSorted()).toEqual([
      'DATABASE_URL',
      'LOG_LEVEL',
      'channels.email.to',
      'channels.email.url',
      'jobs[0].table',
      'routes[0].channels[0]',
      'routes[0].escalation',
      'rule',
    ]);
  });
});
