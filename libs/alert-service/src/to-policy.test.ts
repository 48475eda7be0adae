import { classifyFailure, limitsFor } from '@tocsin/alert-model';
import type { FailureSignal } from '@tocsin/alert-model';
import { InvariantError } from '@tocsin/runtime';
import type { Config, RouteConfig, RuleConfig, ScheduleConfig, TimeWindowConfig } from '@tocsin/runtime';
import { describe, expect, test } from 'vitest';
import { toPolicy } from './to-policy.ts';

const defaultRule: RuleConfig = {
  match: {},
  severity: 'error',
  groupBy: ['source', 'job_type', 'target_id'],
  ignore: false,
};
const route = (changes: Partial<RouteConfig> = {}): RouteConfig => ({
  name: 'default',
  match: {},
  channels: ['email'],
  fallback: [],
  digest: { windowMs: 0, firstAtOnce: false, itemsMax: 100 },
  quietHours: [],
  breakThrough: ['critical'],
  ...changes,
});
const config = (changes: Partial<Config> = {}): Parameters<typeof toPolicy>[0] => ({
  rules: [defaultRule],
  chains: [],
  routes: [route()],
  escalations: {},
  schedules: [],
  jobs: [],
  channels: {},
  selfWatch: { staleAfterMs: 60_000, auditMs: 60_000 },
  ...changes,
});
const schedule = (changes: Partial<ScheduleConfig>): ScheduleConfig => ({
  name: 'nightly',
  table: 'research_jobs',
  source: 'apple',
  timeZone: 'UTC',
  graceMs: 1,
  ...changes,
});
const partial = (failed: number): FailureSignal => ({
  v: 1,
  signal: 'FailureDetected',
  outcomeId: '00000000-0000-4000-8000-000000000001' as FailureSignal['outcomeId'],
  table: 'research_jobs',
  jobId: '1',
  kind: 'partial',
  source: 'apple',
  jobType: 'refresh_catalog',
  targetId: null,
  attempts: 1,
  maxAttempts: 3,
  error: null,
  failedAt: '2026-03-02T03:00:00Z',
  run: null,
  runContext: null,
  counts: { failed, total: 1_000 },
  history: null,
  sourceSuccesses: null,
  details: null,
  notes: [],
  observedAt: '2026-03-02T03:00:00Z',
});

describe('rules', () => {
  test('say everything that they say in the configuration, under the name of their place', () => {
    const rule: RuleConfig = {
      match: { source: ['apple'], kind: ['failed', 'stuck'] },
      severity: 'critical',
      groupBy: ['source', 'job_type'],
      ignore: false,
      threshold: { kind: 'count', failures: 5, withinMs: 600_000 },
      stuckAfter: { mode: 'fixed', heartbeatMs: 900_000, updateMs: 300_000 },
      onStuck: { action: 'requeue', restartsMax: 3, backoffMs: 60_000, checkpointSchema: null },
      stalledAfterMs: 1_800_000,
      noCompletionAfterMs: 7_200_000,
      partial: { failed: 10, ratio: 0.05 },
    };
    expect(toPolicy(config({ rules: [rule, defaultRule] })).rules[0]).toEqual({
      ...rule,
      name: 'rules[0]',
      groupBy: ['source', 'jobType'],
    });
  });

  test('tell "for ever" from saying nothing', () => {
    const [forEver, silent] = toPolicy(
      config({
        rules: [
          { match: {}, stalledAfterMs: null, noCompletionAfterMs: null, partial: 'off' },
          { match: {} },
          defaultRule,
        ],
      }),
    ).rules;
    expect(forEver).toMatchObject({ stalledAfterMs: null, noCompletionAfterMs: null, partial: 'off' });
    expect(silent).toEqual({ name: 'rules[1]', match: {} });
    const job = { source: 'apple', jobType: 'refresh_catalog', targetId: null };
    expect(limitsFor(forEver === undefined ? [] : [forEver], job).stalledAfterMs).toBeNull();
  });

  test('of the product force no severity upon kinds that are only a warning', () => {
    const policy = toPolicy(config());
    expect(policy.rules).toMatchObject([{ name: 'default' }]);
    expect(classifyFailure(partial(100), policy)).toMatchObject({ severity: 'warning' });
    expect(classifyFailure({ ...partial(100), kind: 'failed' }, policy)).toMatchObject({ severity: 'error' });
    expect(classifyFailure(partial(1), policy)).toMatchObject({ ignoredBy: 'default (1 of 1,000 parts failed)' });
  });
});

describe('chains and schedules', () => {
  test('have a deadline, or none', () => {
    const chain = { name: 'catalog', source: 'apple', steps: [{ jobType: 'refresh_catalog', targets: [] }] };
    expect(toPolicy(config({ chains: [chain, { ...chain, deadlineMs: 7_200_000 }] })).chains).toMatchObject([
      { deadlineMs: null, steps: [{ targets: null }] },
      { deadlineMs: 7_200_000 },
    ]);
  });

  test.each([
    {
      caption: 'a chain by cron',
      given: schedule({ chain: 'catalog', cron: '0 3 * * *', timeZone: 'Europe/Berlin' }),
      work: { chain: 'catalog' },
      due: { kind: 'cron', expression: '0 3 * * *', timeZone: 'Europe/Berlin' },
    },
    {
      caption: 'a job with whatever target, every so often',
      given: schedule({ jobType: 'sync', everyMs: 60_000 }),
      work: { jobType: 'sync', targetId: null },
      due: { kind: 'every', everyMs: 60_000 },
    },
    {
      caption: 'a job with one target',
      given: schedule({ jobType: 'sync', targetId: 'songs', everyMs: 60_000 }),
      work: { jobType: 'sync', targetId: 'songs' },
      due: { kind: 'every', everyMs: 60_000 },
    },
  ])('expect $caption', ({ given, work, due }) => {
    expect(toPolicy(config({ schedules: [given] })).schedules).toEqual([
      { name: 'nightly', table: 'research_jobs', source: 'apple', work, due, graceMs: 1 },
    ]);
  });

  test.each([schedule({ cron: '0 3 * * *' }), schedule({ chain: 'catalog' })])(
    'without work or time are refused by name (%#)',
    (given) => {
      expect(() => toPolicy(config({ schedules: [given] }))).toThrow(InvariantError);
      expect(() => toPolicy(config({ schedules: [given] }))).toThrow('nightly');
    },
  );
});

describe('routes', () => {
  test('say everything that they say in the configuration', () => {
    const night: TimeWindowConfig = { days: [1, 5], fromMinute: 1_320, toMinute: 420, timeZone: 'Europe/Berlin' };
    const full = route({
      match: { source: ['apple'], severity: ['error'], kind: ['failed'], adapter: ['oban'], during: [night] },
      fallback: ['outbox'],
      digest: { windowMs: 900_000, firstAtOnce: true, itemsMax: 20, allQuiet: { cron: '0 9 * * *', timeZone: 'UTC' } },
      quietHours: [night],
      breakThrough: ['critical', 'error'],
      escalation: 'night',
    });
    const escalations: Config['escalations'] = {
      night: {
        levels: [
          { afterMs: 900_000, channels: ['oncall'] },
          { afterMs: 1_800_000, channels: ['manager'], severities: ['critical'] },
        ],
        repeat: { everyMs: 3_600_000, times: 3 },
      },
    };
    expect(toPolicy(config({ routes: [full], escalations })).routes).toEqual([
      {
        name: 'default',
        match: full.match,
        channels: ['email'],
        fallback: ['outbox'],
        windowMs: 900_000,
        firstAtOnce: true,
        itemsMax: 20,
        allQuiet: { cron: '0 9 * * *', timeZone: 'UTC' },
        quietHours: [night],
        breakThrough: ['critical', 'error'],
        escalation: {
          name: 'night',
          levels: [
            { afterMs: 900_000, channels: ['oncall'], severities: null },
            { afterMs: 1_800_000, channels: ['manager'], severities: ['critical'] },
          ],
          repeat: { everyMs: 3_600_000, times: 3 },
        },
      },
    ]);
  });

  test('end with the way of canaries where there are any, and no other failure takes it', () => {
    const policy = toPolicy(config({ selfWatch: { staleAfterMs: 1, auditMs: 1, canaryMs: 3_600_000 } }));
    expect(policy.routes.map(({ name, channels }) => [name, channels])).toEqual([
      ['default', ['email']],
      ['tocsin_canary', ['tocsin_canary']],
    ]);
    const canary = {
      ...partial(100),
      kind: 'failed' as const,
      source: 'tocsin',
      jobType: 'canary',
      table: 'tocsin_canary',
    };
    const routesOf = (signal: FailureSignal): unknown => {
      const classified = classifyFailure(signal, policy);
      return 'routes' in classified ? classified.routes.map(({ name, fallback }) => [name, fallback]) : classified;
    };
    expect(routesOf(canary)).toEqual([['tocsin_canary', []]]);
    expect(routesOf({ ...canary, table: 'tocsin', kind: 'unhealthy' })).toEqual([['default', []]]);
    expect(routesOf({ ...canary, source: 'apple', table: 'research_jobs' })).toEqual([['default', []]]);
  });
});

describe('what is told of many alerts', () => {
  test('is off where the configuration says so', () => {
    expect(toPolicy(config())).toMatchObject({ storm: null, flapping: null });
    const storm = { keys: 50, withinMs: 300_000, updateMs: 900_000 };
    const flapping = { times: 4, withinMs: 21_600_000, holdMs: 3_600_000 };
    expect(toPolicy(config({ storm, flapping }))).toMatchObject({ storm: { ...storm, share: null }, flapping });
  });

  test('channels that reach people come first, tables have the adapters they are read with', () => {
    const channels: Config['channels'] = {
      console: { type: 'console' },
      outbox: { type: 'outbox', directory: '/var/lib/outbox' },
      email: { type: 'smtp', url: 'smtp://127.0.0.1', to: ['ada@example.com'], from: 'tocsin@example.com' },
    };
    const jobs = [{ name: 'queue', adapter: 'oban' } as Config['jobs'][number]];
    expect(toPolicy(config({ channels, jobs }))).toMatchObject({
      channels: ['email', 'console', 'outbox'],
      adapters: { queue: 'oban' },
    });
  });
});
