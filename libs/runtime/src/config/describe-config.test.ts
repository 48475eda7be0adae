import { expect, test } from 'vitest';
import type { Config } from './config.ts';
import { configSecrets, describeConfig } from './describe-config.ts';

const config: Config = {
  version: 1,
  databaseUrl: 'postgres://u:geheim-1@db/tocsin',
  jobsDatabaseUrl: 'postgres://u:geheim%202@db/jobs',
  jobs: [
    {
      name: 'a',
      table: 'public.a',
      adapter: 'research_jobs',
      databaseUrl: 'postgres://db/jobs?password=geheim-3',
      pollMs: 2_000,
      reconcileMs: 60_000,
      lookBackMs: 60_000,
      batch: 500,
      columns: {},
      details: {},
      janitorDatabaseUrl: 'postgres://janitor:geheim-10@db/jobs',
    },
  ],
  chains: [],
  schedules: [],
  rules: [],
  routes: [],
  channels: {
    email: {
      type: 'sendgrid',
      to: ['ada@example.com'],
      from: 'bell@example.com',
      apiKey: 'geheim-4',
      baseUrl: 'https://geheim-9@api.example.com/',
    },
    smtp: { type: 'smtp', to: ['ada@example.com'], from: 'bell@example.com', url: 'smtp://u:geheim-5@h' },
    outbox: { type: 'outbox', directory: '/var/outbox' },
    slack: {
      type: 'slack_webhook',
      url: 'https://hooks.slack.com/services/geheim-7',
      signingSecret: 'geheim-11',
      rateLimit: { everyMs: 1_000, burst: 1 },
    },
    proxied: { type: 'slack_webhook', url: 'http://127.0.0.1:8026/T0/B0/geheim-12' },
    bot: {
      type: 'slack_bot',
      token: 'xoxb-geheim-13',
      channel: '#alerts',
      signingSecret: 'geheim-14',
      baseUrl: 'https://u:geheim-15@slack.example.com/api/',
    },
    hook: {
      type: 'webhook',
      url: 'https://u:geheim-16@hooks.example.com/in/geheim-17?token=geheim-18',
      secret: 'whsec_geheim-19 whsec_geheim-20',
    },
    pager: { type: 'pagerduty', routingKey: 'geheim-21', baseUrl: 'https://geheim-22@events.example.com/' },
    sentry: { type: 'sentry', dsn: 'https://geheim-23@o1.ingest.sentry.io/42' },
  },
  escalations: {},
  silences: [],
  selfWatch: { staleAfterMs: 1, auditMs: 1, deadmanUrl: 'https://hc-ping.com/geheim-24' },
  retention: { outcomesMs: 1, deliveriesMs: 1 },
  delivery: { attemptTimeoutMs: 1, unknownRetryMs: 1 },
  workers: { claimSeconds: 1, host: '127.0.0.1' },
  secret: 'geheim-6',
  slackSigningSecret: 'geheim-25',
  logLevel: 'info',
  stateDirectory: '/var/.tocsin',
  warnings: [],
};

test('shows the whole configuration without a secret', () => {
  const shown = describeConfig(config);
  expect(JSON.stringify(shown)).not.toContain('geheim');
  expect(shown).toMatchObject({
    databaseUrl: 'postgres://u:***@db/tocsin',
    secret: '***',
    slackSigningSecret: '***',
    selfWatch: { deadmanUrl: 'https://hc-ping.com/***' },
    jobs: [{ table: 'public.a', databaseUrl: 'postgres://db/jobs?password=***', pollMs: 2_000 }],
    channels: {
      email: { apiKey: '***', to: ['ada@example.com'] },
      smtp: { url: 'smtp://u:***@h' },
      outbox: { directory: '/var/outbox' },
      slack: { url: 'https://hooks.slack.com/***', signingSecret: '***', rateLimit: { burst: 1 } },
      proxied: { url: 'http://127.0.0.1:8026/***' },
      bot: { token: '***', channel: '#alerts', signingSecret: '***', baseUrl: 'https://u:***@slack.example.com/api/' },
      hook: { url: 'https://u:***@hooks.example.com/***', secret: '***' },
      pager: { routingKey: '***' },
      sentry: { dsn: 'https://***@o1.ingest.sentry.io/42' },
    },
  });
  expect(Object.keys(shown).toSorted()).toEqual(Object.keys(config).toSorted());
});

test('lists every literal secret for the logger, URL passwords as written and decoded', () => {
  expect(configSecrets(config).toSorted()).toEqual(
    [
      'geheim 2',
      'geheim%202',
      ...[1, 3, 4, 5, 6, 9, 10, 11, 14, 15, 16, 19, 20, 21, 22, 23, 25].map((number) => `geheim-${number}`),
      'xoxb-geheim-13',
      'whsec_geheim-19',
      'whsec_geheim-20',
      'whsec_geheim-19 whsec_geheim-20',
      'https://geheim-23@o1.ingest.sentry.io/42',
      // Of addresses that are secrets: whole, and what errors name of them.
      'https://hooks.slack.com/services/geheim-7',
      '/services/geheim-7',
      'http://127.0.0.1:8026/T0/B0/geheim-12',
      '/T0/B0/geheim-12',
      'https://u:geheim-16@hooks.example.com/in/geheim-17?token=geheim-18',
      '/in/geheim-17?token=geheim-18',
      '/in/geheim-17',
      'https://hc-ping.com/geheim-24',
    ].toSorted(),
  );
});

test('a short path is not looked for in logs, since it would be found everywhere', () => {
  const { hook: _, ...others } = config.channels;
  const channels = { ...others, hook: { type: 'webhook', url: 'https://example.com/hook', secret: 'x' } } as const;
  expect(configSecrets({ ...config, channels })).not.toContain('/hook');
});
