import { describe, expect, test } from 'vitest';
import { at, classified, everything, failure, jobsPolicy, window } from '../fixtures/builders.ts';
import type { FrozenEscalation, Policy, RoutePolicy } from './policy.ts';
import type { FailureSignal } from './signal.ts';

const component = (jobType: string, targetId: string | null = null): FailureSignal =>
  failure({
    table: 'tocsin',
    source: 'tocsin',
    kind: 'unhealthy',
    jobType,
    targetId,
    jobId: targetId === null ? jobType : `${jobType}/${targetId}`,
    error: 'HTTP 401',
  });
const canary = failure({ table: 'tocsin_canary', source: 'tocsin', jobType: 'canary', targetId: null });
const wayOfCanaries: RoutePolicy = {
  ...everything,
  name: 'tocsin_canary',
  match: { source: ['tocsin'], jobType: ['canary'] },
  channels: ['tocsin_canary'],
  fallback: [],
  windowMs: 0,
  escalation: null,
};
const night: RoutePolicy = { ...everything, quietHours: [window(22 * 60, 7 * 60)] };
const policy = (changes: Partial<Policy> = {}): Policy => ({
  ...jobsPolicy,
  routes: [night, wayOfCanaries],
  channels: ['email', 'slack', 'pager', 'hook'],
  ...changes,
});

describe('an alert about a part of Tocsin', () => {
  test.for([
    [component('channel', 'email'), 'job/tocsin/channel/email', 'Channel email'],
    [component('detector'), 'job/tocsin/detector', 'Detector'],
    [component('notifier'), 'job/tocsin/notifier', 'Notifier'],
    [component('audit'), 'job/tocsin/audit', 'Audit'],
    [component('canary'), 'job/tocsin/canary/late', 'Canary'],
  ] as const)('has a key and a name of its own: %#', ([signal, key, title]) => {
    expect(classified(signal, policy())).toMatchObject({ key, title });
  });

  test('is told at once and at any hour; every channel there is may take over', () => {
    expect(classified(component('detector'), policy()).routes).toMatchObject([
      { name: 'default', channels: ['email'], fallback: ['slack', 'pager', 'hook'], windowMs: 0, quietHours: [] },
    ]);
  });

  test('is not told through the channel that is broken', () => {
    const escalation: FrozenEscalation = {
      name: 'nights',
      levels: [
        { afterMs: 60_000, channels: ['email'], severities: null },
        { afterMs: 120_000, channels: ['email', 'pager'], severities: null },
      ],
      repeat: null,
    };
    const routes = [{ ...night, channels: ['email', 'hook'], fallback: ['email', 'slack'], escalation }];
    expect(classified(component('channel', 'email'), policy({ routes })).routes).toMatchObject([
      {
        channels: ['hook'],
        fallback: ['slack', 'pager'],
        escalation: { levels: [{ afterMs: 120_000, channels: ['pager'] }] },
      },
    ]);
  });

  test('whose route has no other channel is told on all others, and in files where there is none', () => {
    const routes = [{ ...night, fallback: [] }];
    expect(classified(component('channel', 'email'), policy({ routes })).routes[0]).toMatchObject({
      channels: ['slack', 'pager', 'hook'],
      fallback: [],
    });
    const alone = policy({ routes: [{ ...night, fallback: [], escalation: null }], channels: ['email'] });
    expect(classified(component('channel', 'email'), alone).routes[0]).toMatchObject({ channels: ['outbox'] });
  });

  test('obeys rules that name its source, and no other', () => {
    const ignoring = policy({ rules: [{ name: 'rules[0]', match: {}, ignore: true }] });
    expect(classified(component('channel', 'email'), ignoring).severity).toBe('error');
    const named = policy({ rules: [{ name: 'rules[0]', match: { source: ['tocsin'] }, severity: 'critical' }] });
    expect(classified(component('channel', 'email'), named).severity).toBe('critical');
  });
});

describe('a canary', () => {
  test('takes its own route and no other', () => {
    expect(classified(canary, policy())).toMatchObject({
      key: 'job/tocsin/canary',
      routes: [{ name: 'tocsin_canary' }],
    });
    expect(classified(canary, policy()).routes).toHaveLength(1);
  });

  test('takes it even where the policy has none, and never one for people', () => {
    expect(classified(canary, policy({ routes: [night] })).routes).toMatchObject([
      { name: 'tocsin_canary', channels: ['tocsin_canary'], fallback: [] },
    ]);
  });

  test('shares its route with nothing: that canaries are late is told to people', () => {
    expect(classified(component('canary'), policy()).routes.map(({ name }) => name)).toEqual(['default']);
  });
});

test('other failures of Tocsin keep their window and their hours, and may be told on every channel', () => {
  const quarantine = failure({ table: 'tocsin.quarantine', source: 'tocsin', jobType: 'read_signal', targetId: null });
  expect(classified(quarantine, policy()).routes).toMatchObject([
    { windowMs: everything.windowMs, quietHours: night.quietHours, fallback: ['slack', 'pager', 'hook'] },
  ]);
  expect(quarantine.failedAt).toBe(at(182));
});
