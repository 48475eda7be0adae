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
  },
  escalations: {},
  retention: { outcomesMs: 1, deliveriesMs: 1 },
  delivery: { attemptTimeoutMs: 1, unknownRetryMs: 1 },
  workers: { claimSeconds: 1 },
  secret: 'geheim-6',
  slackWebhookUrl: 'https://hooks.slack.com/services/geheim-7',
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
    slackWebhookUrl: 'https://hooks.slack.com/***',
    jobs: [{ table: 'public.a', databaseUrl: 'postgres://db/jobs?password=***', pollMs: 2_000 }],
    channels: {
      email: { apiKey: '***', to: ['ada@example.com'] },
      smtp: { url: 'smtp://u:***@h' },
      outbox: { directory: '/var/outbox' },
    },
  });
  expect(Object.keys(shown).toSorted()).toEqual(Object.keys(config).toSorted());
});

test('lists every literal secret for the logger, URL passwords as written and decoded', () => {
  expect(configSecrets(config).toSorted()).toEqual([
    'geheim 2',
    'geheim%202',
    'geheim-1',
    'geheim-10',
    'geheim-3',
    'geheim-4',
    'geheim-5',
    'geheim-6',
    'geheim-9',
    'https://hooks.slack.com/services/geheim-7',
  ]);
});
