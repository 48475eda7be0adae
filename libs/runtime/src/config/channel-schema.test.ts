import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { loadText, problemsOfText } from './config-file.fixture.ts';

type Variables = Readonly<Record<string, string>>;

const file = (keys: string) => `channels: { a: { ${keys} } }`;
const loaded = (keys: string, env: Variables = {}) => loadText(file(keys), env).channels['a'];

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const older = `whsec_${Buffer.alloc(24, 8).toString('base64')}`;
const routingKey = 'R0'.padEnd(32, 'a');
const dsn = 'https://key@o1.ingest.sentry.io/42';
const slackRate = { rateLimit: { everyMs: 1_000, burst: 1 } };

describe('channels as the file has them', () => {
  test.each([
    {
      keys: 'type: slack_webhook, url: "https://hooks.slack.com/services/T/B/x", signing_secret: s',
      channel: {
        type: 'slack_webhook',
        url: 'https://hooks.slack.com/services/T/B/x',
        signingSecret: 's',
        ...slackRate,
      },
    },
    {
      keys: 'type: slack_bot, token: xoxb-1, channel: "#alerts", base_url: "http://127.0.0.1:8026/api/"',
      channel: {
        type: 'slack_bot',
        token: 'xoxb-1',
        channel: '#alerts',
        baseUrl: 'http://127.0.0.1:8026/api/',
        ...slackRate,
      },
    },
    {
      keys: `type: webhook, url: "https://example.com/in", secret: "${secret} ${older}", allow_private: true`,
      channel: { type: 'webhook', url: 'https://example.com/in', secret: `${secret} ${older}`, allowPrivate: true },
    },
    {
      keys: `type: pagerduty, routing_key: ${routingKey}, base_url: "http://127.0.0.1:8027/"`,
      channel: { type: 'pagerduty', routingKey, baseUrl: 'http://127.0.0.1:8027/' },
    },
    {
      keys: `type: sentry, dsn: "${dsn}", environment: production, fingerprints: [{ match: { source: "scraping_*", job_type: [a, b], kind: stuck }, fingerprint: [stuck, "{source}", "{target_id}"] }, { match: {}, fingerprint: ["{{ default }}", "{job_type} failed"] }]`,
      channel: {
        type: 'sentry',
        dsn,
        environment: 'production',
        fingerprints: [
          {
            match: { source: ['scraping_*'], jobType: ['a', 'b'], kind: ['stuck'] },
            fingerprint: ['stuck', '{source}', '{target_id}'],
          },
          { match: {}, fingerprint: ['{{ default }}', '{job_type} failed'] },
        ],
      },
    },
  ])('$channel.type', ({ keys, channel }) => {
    expect(loaded(keys)).toEqual(channel);
  });

  test('may send as often as they say, Slack once a second unless it does', () => {
    const slack = 'type: slack_bot, token: xoxb-1, channel: C01';
    expect(loaded(slack)).toMatchObject(slackRate);
    expect(loaded(`${slack}, rate_limit: { messages: 30, per: 1m }`)).toMatchObject({
      rateLimit: { everyMs: 2_000, burst: 30 },
    });
    expect(loaded('type: console, rate_limit: { messages: 3, per: 10s }')).toEqual({
      type: 'console',
      rateLimit: { everyMs: 3_334, burst: 3 },
    });
  });
});

describe('channels completed from the environment', () => {
  test.each([
    {
      keys: 'type: slack_webhook',
      env: { SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T/B/x', SLACK_SIGNING_SECRET: 's' },
      channel: { url: 'https://hooks.slack.com/services/T/B/x', signingSecret: 's' },
    },
    {
      keys: 'type: slack_bot',
      env: { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_CHANNEL: '#alerts', SLACK_SIGNING_SECRET: 's' },
      channel: { token: 'xoxb-1', channel: '#alerts', signingSecret: 's' },
    },
    {
      keys: 'type: webhook',
      env: { WEBHOOK_URL: 'https://example.com/in', WEBHOOK_SECRET: secret },
      channel: { url: 'https://example.com/in', secret },
    },
    { keys: 'type: pagerduty', env: { PAGERDUTY_ROUTING_KEY: routingKey }, channel: { routingKey } },
    { keys: 'type: sentry', env: { SENTRY_DSN: dsn }, channel: { dsn } },
  ])('$keys', ({ keys, env, channel }) => {
    expect(loaded(keys, env)).toMatchObject(channel);
    expect(loadText(file(keys), env).warnings).toEqual([]);
  });

  test('the file goes before the environment', () => {
    expect(loaded(`type: pagerduty, routing_key: ${routingKey}`, { PAGERDUTY_ROUTING_KEY: 'other' })).toMatchObject({
      routingKey,
    });
  });

  test('variables of other programs are left alone where no channel needs them', () => {
    const env = { WEBHOOK_SECRET: 'hush', WEBHOOK_URL: '/hooks', SENTRY_DSN: 'none', SLACK_CHANNEL: ' ' };
    expect(problemsOfText('', env)).toEqual([]);
    const own = file(`type: webhook, url: "https://example.com/in", secret: "${secret}"`);
    expect(problemsOfText(own, env)).toEqual([]);
    expect(problemsOfText(file(`type: webhook, secret: "${secret}"`), env)).toEqual([
      'WEBHOOK_URL: must be a URL beginning with https:// or http://; got ***',
    ]);
  });
});

describe('without a declared channel', () => {
  const slack = { SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T/B/x' };
  const mail = { SENDGRID_API_KEY: 'SG.k', ALERT_EMAIL_TO: 'a@b.c', ALERT_EMAIL_FROM: 'd@b.c' };

  test('a Slack webhook is told beside e-mail', () => {
    const { channels, routes, warnings } = loadText('', { ...slack, ...mail, SMTP_URL: 'smtp://h' });
    expect(channels['slack']).toEqual({ type: 'slack_webhook', url: slack.SLACK_WEBHOOK_URL, ...slackRate });
    expect(routes[0]).toMatchObject({ channels: ['email', 'slack'], fallback: ['email-smtp'] });
    expect(warnings).toEqual([]);
  });

  test('it is told alone where there is no e-mail', () => {
    const { routes, warnings } = loadText('', slack);
    expect(routes[0]).toMatchObject({ channels: ['slack'], fallback: [] });
    expect(warnings).toEqual([
      'No e-mail channel: set SENDGRID_API_KEY or SMTP_URL. Until then alerts are told in Slack only.',
    ]);
  });

  test('routes of the file may name it', () => {
    const yaml = 'routes: [{ name: all, channels: [slack], fallback: [email] }]';
    expect(problemsOfText(yaml, { ...slack, ...mail })).toEqual([]);
    expect(problemsOfText(yaml, { ...mail, SLACK_WEBHOOK_URL: 'nowhere' })).toEqual([
      'SLACK_WEBHOOK_URL: must be a URL beginning with https:// or http://; got ***',
    ]);
  });

  test('with other declared channels it is told nothing, and a warning says so', () => {
    const { channels, warnings } = loadText('channels: { a: { type: console } }', slack);
    expect(channels).not.toHaveProperty('slack');
    expect(warnings).toEqual([
      'SLACK_WEBHOOK_URL is set, but no channel of type slack_webhook is declared; nothing is sent there.',
    ]);
  });
});

test('the default route takes declared mail first, then what else reaches people', () => {
  const channels = `channels:
  archive: { type: outbox }
  pager: { type: pagerduty, routing_key: ${routingKey} }
  chat: { type: slack_bot, token: xoxb-1, channel: C01 }
  mail: { type: smtp, to: a@b.c, from: d@b.c, url: "smtp://h" }`;
  const { routes, warnings } = loadText(channels);
  expect(routes[0]).toMatchObject({ name: 'default', channels: ['mail'], fallback: ['chat', 'pager'] });
  expect(warnings).toEqual(['The channel "archive" is declared, but no route or escalation uses it.']);
});

test('a fingerprint that names what nobody fills in is a warning', () => {
  const sentry = `type: sentry, dsn: "${dsn}", fingerprints: [{ match: {}, fingerprint: ["{stage}", "{source_url} {page}"] }]`;
  const jobs = 'jobs: [{ name: a, table: p.t, details: { source_url: source_url } }]';
  expect(loadText(`${file(sentry)}\n${jobs}`).warnings).toEqual([
    'channels.a.fingerprints[0] refers to {page}, which no jobs[].details names; where nothing fills it in, different jobs are one issue.',
  ]);
});

describe('it refuses', () => {
  const key =
    'must be whsec_ and the base64 of 24 to 64 random bytes; make one with: echo whsec_$(openssl rand -base64 32)';
  const form = 'must be a DSN, such as https://key@o1.ingest.sentry.io/42';
  test.each([
    {
      caption: 'a Slack bot without anything',
      keys: 'type: slack_bot',
      problems: [
        'token: is missing; write "${NAME}" here or set SLACK_BOT_TOKEN',
        'channel: is missing; write the Slack channel here, such as C0123456789 or "#alerts", or set SLACK_CHANNEL',
      ],
    },
    {
      caption: 'a Slack channel that is a comment',
      keys: 'type: slack_bot, token: xoxb-1, channel: null',
      problems: ['channel: must be text (what begins with # is a comment unless it is in quotes); got null'],
    },
    {
      caption: 'an app-level token, without showing it',
      keys: 'type: slack_bot, token: xapp-geheim, channel: C01',
      problems: [
        'token: must be the token of a bot, which begins with xoxb- (Slack: OAuth & Permissions, Bot User OAuth Token); got "***"',
      ],
    },
    {
      caption: 'a Slack channel that cannot be one',
      keys: 'type: slack_bot, token: xoxb-1, channel: "alerts, ops"',
      problems: [
        'channel: must be a Slack channel, such as C0123456789 or "#alerts"; the id goes on working when it is renamed; got "alerts, ops"',
      ],
    },
    {
      caption: 'a Slack webhook without an address',
      keys: 'type: slack_webhook',
      problems: ['url: is missing; write "${NAME}" here or set SLACK_WEBHOOK_URL'],
    },
    {
      caption: 'a webhook without anything',
      keys: 'type: webhook',
      problems: [
        'url: is missing; write https://… here or set WEBHOOK_URL',
        'secret: is missing; write "${NAME}" here or set WEBHOOK_SECRET',
      ],
    },
    {
      caption: 'a webhook secret that is none, without showing it',
      keys: 'type: webhook, url: "https://h/x", secret: geheim',
      problems: [`secret: ${key}; got "***"`],
    },
    {
      caption: 'a webhook secret that is too short, beside a right one',
      keys: `type: webhook, url: "https://h/x", secret: "${secret} whsec_${Buffer.alloc(23).toString('base64')}"`,
      problems: [`secret: ${key}; got "***"`],
    },
    {
      caption: 'more webhook secrets than sign one message',
      keys: `type: webhook, url: "https://h/x", secret: "${Array.from({ length: 6 }, () => secret).join(' ')}"`,
      problems: ['secret: must be at most 5 keys; drop the oldest; got "***"'],
    },
    {
      caption: 'a PagerDuty key that is none',
      keys: 'type: pagerduty, routing_key: geheim',
      problems: [
        'routing_key: must be the integration key of a service with Events API v2: 32 letters and digits; got "***"',
      ],
    },
    {
      caption: 'a DSN without a project',
      keys: 'type: sentry, dsn: "https://geheim@o1.ingest.sentry.io/"',
      problems: [`dsn: ${form}; it lacks the number of the project at its end; got "https://***@o1.ingest.sentry.io/"`],
    },
    {
      caption: 'a DSN without a key',
      keys: 'type: sentry, dsn: "https://o1.ingest.sentry.io/42"',
      problems: [`dsn: ${form}; it lacks the key before the @; got "https://o1.ingest.sentry.io/42"`],
    },
    {
      caption: 'a DSN that is no address',
      keys: 'type: sentry, dsn: geheim',
      problems: [`dsn: ${form}; got "***"`],
    },
    {
      caption: 'an environment Sentry refuses',
      keys: `type: sentry, dsn: "${dsn}", environment: "eu/prod"`,
      problems: ['environment: must be 1 to 64 characters without blanks and slashes, and not None; got "eu/prod"'],
    },
    {
      caption: 'a fingerprint with half a brace, and one of nothing',
      keys: `type: sentry, dsn: "${dsn}", fingerprints: [{ match: {}, fingerprint: ["{source"] }, { match: { kind: stuk }, fingerprint: [] }]`,
      problems: [
        'fingerprints[0].fingerprint[0]: has a brace without its partner, or no name between them; write {source_url}; got "{source"',
        'fingerprints[1].match.kind: must be one of failed, dead, partial, stuck, stalled, overdue, deadline, zero_throughput, unhealthy; did you mean "stuck"?; got "stuk"',
        'fingerprints[1].fingerprint: the list is empty; write at least one part; got []',
      ],
    },
    {
      caption: 'a limit that lets nothing through',
      keys: 'type: console, rate_limit: { messages: 0, per: 0 }',
      problems: ['rate_limit.messages: must be at least 1; got 0', 'rate_limit.per: must be at least 100ms; got 0'],
    },
    {
      caption: 'a limit as a number',
      keys: 'type: console, rate_limit: 0',
      problems: ['rate_limit: must be a mapping, such as { messages: 1, per: 1s }; leave it out for no limit; got 0'],
    },
  ])('$caption', ({ keys, problems }) => {
    expect(problemsOfText(file(keys))).toEqual(problems.map((problem) => `channels.a.${problem}`));
  });

  test('further fields that are too many, or have names that mean something else', () => {
    const job = (details: string) => `jobs: [{ name: a, table: p.t, details: { ${details} } }]`;
    expect(problemsOfText(job('source: x, "a b": y, page: "a..b"'))).toEqual([
      'jobs[0].details.source: means something already; choose another name',
      'jobs[0].details.a b: must be 1 to 32 letters, digits or underscores, beginning with a letter',
      expect.stringMatching(/^jobs\[0\]\.details\.page: must be a column, such as account_id/),
    ]);
    const many = Array.from({ length: 21 }, (_, index) => `f${index}: c`).join(', ');
    expect(problemsOfText(job(many))).toEqual([
      expect.stringMatching(/^jobs\[0\]\.details: must have at most 20 entries/),
    ]);
  });
});

test('further fields are columns, paths or constants', () => {
  const yaml =
    'jobs: [{ name: a, table: p.t, details: { source_url: source_url, page: payload.page, region: { value: eu } } }]';
  expect(loadText(yaml).jobs[0]?.details).toEqual({
    source_url: { column: 'source_url', path: [] },
    page: { column: 'payload', path: ['page'] },
    region: { value: 'eu' },
  });
});

describe('keys of hooks', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const webhookKey = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');

  test('are taken from the environment', () => {
    const env = { SENDGRID_WEBHOOK_KEY: webhookKey, SLACK_SIGNING_SECRET: '8f742231b10e8888abcd99yyyzzz85a5' };
    expect(loadText('', env)).toMatchObject({
      sendgridWebhookKey: webhookKey,
      slackSigningSecret: '8f742231b10e8888abcd99yyyzzz85a5',
    });
  });

  test('that verify nothing are refused, without showing them', () => {
    const problem =
      'SENDGRID_WEBHOOK_KEY: must be the verification key that SendGrid shows for its signed Event Webhook, on one line; got ***';
    const { publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    for (const wrong of [
      'SG.key',
      webhookKey.slice(4),
      rsa.export({ format: 'der', type: 'spki' }).toString('base64'),
    ]) {
      expect(problemsOfText('', { SENDGRID_WEBHOOK_KEY: wrong })).toEqual([problem]);
    }
    expect(problemsOfText('', { SLACK_SIGNING_SECRET: 'two words' })).toEqual([
      'SLACK_SIGNING_SECRET: must be plain ASCII without blanks or line breaks; got ***',
    ]);
  });
});
