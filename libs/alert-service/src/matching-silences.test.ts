import type { AlertId, AlertState, Classification, FailureSignal, Match } from '@tocsin/alert-model';
import type { Silence } from '@tocsin/event-store';
import { describe, expect, test } from 'vitest';
import { mutes, mutesFor } from './matching-silences.ts';

const now = '2026-03-02T03:00:00.000Z';
const alertId = '00000000-0000-4000-8000-000000000001' as AlertId;
const silence = (match: Match, over: Partial<Silence> = {}): Silence => ({
  id: '00000000-0000-4000-8000-00000000000a',
  name: null,
  match,
  by: 'night shift',
  reason: null,
  startsAt: '2026-03-02T00:00:00.000Z',
  end: { until: 'time', at: '2026-03-02T04:00:00.000Z' },
  alertIds: [],
  createdAt: '2026-03-02T00:00:00.000Z',
  appliedAt: null,
  endedAt: null,
  endedBy: null,
  endCause: null,
  ...over,
});
type Job = Pick<FailureSignal, 'table' | 'source' | 'jobType' | 'targetId' | 'kind'>;
const job: Job = { table: 'research_jobs', source: 'apple', jobType: 'sync', targetId: 'songs', kind: 'failed' };
const failing = (
  over: Partial<Job> = {},
  severity: Classification['severity'] = 'error',
  state: AlertState | null = null,
): Parameters<typeof mutesFor>[1] => ({
  signal: { ...job, ...over } as FailureSignal,
  classification: { severity },
  state,
  now,
});
const alert = (over: Partial<AlertState> = {}): AlertState =>
  ({
    id: alertId,
    source: 'apple',
    jobType: 'sync',
    targetId: 'songs',
    severity: 'error',
    occurrences: 1,
    conditions: {},
    ...over,
  }) as AlertState;
const isMuted = (match: Match, failure: Parameters<typeof mutesFor>[1]): boolean =>
  mutesFor([silence(match)], failure).length > 0;

describe('a failure', () => {
  test.each<[Match, boolean]>([
    [{}, true],
    [{ source: ['app*'] }, true],
    [{ source: ['shop'] }, false],
    [{ source: ['apple'], jobType: ['sync'], targetId: ['songs'] }, true],
    [{ severity: ['error'] }, true],
    [{ severity: ['warning'] }, false],
    [{ kind: ['failed'] }, true],
    [{ kind: ['stuck'] }, false],
  ])('that opens an alert is muted by %j: %j', (match, muted) => {
    expect(isMuted(match, failing())).toBe(muted);
  });

  test('is muted by what a decision needs of the silence', () => {
    expect(mutesFor([silence({})], failing())).toEqual([
      {
        id: '00000000-0000-4000-8000-00000000000a',
        by: 'night shift',
        reason: null,
        end: { until: 'time', at: '2026-03-02T04:00:00.000Z' },
      },
    ]);
  });

  test('is not muted by a silence whose time has passed', () => {
    expect(mutesFor([silence({}, { end: { until: 'time', at: now } })], failing())).toEqual([]);
  });

  test('counts for its alert as a whole: what it was, and what it is with this', () => {
    const warnings = { severity: ['warning' as const] };
    expect(isMuted(warnings, failing({}, 'warning', alert({ severity: 'error' })))).toBe(false);
    expect(isMuted(warnings, failing({}, 'error', alert({ severity: 'warning' })))).toBe(false);
    const stuck = { kind: ['stuck' as const] };
    const wasStuck = alert({ conditions: { stuck: 1 } });
    expect(isMuted(stuck, failing({ kind: 'stuck' }, 'error', wasStuck))).toBe(true);
    // A silence for stuck jobs is none for one that failed.
    expect(isMuted(stuck, failing({}, 'error', wasStuck))).toBe(false);
    expect(isMuted(stuck, failing({ kind: 'stuck' }, 'error', alert()))).toBe(false);
    // Kinds that leave a failed row are one kind to an alert.
    expect(isMuted({ kind: ['dead'] }, failing({ kind: 'dead' }, 'error', alert()))).toBe(true);
  });

  test('of Tocsin itself is muted only by a silence that names a source, and a canary by none', () => {
    const own = { source: 'tocsin', jobType: 'channel', targetId: 'email', table: 'tocsin' };
    expect(isMuted({}, failing(own))).toBe(false);
    expect(isMuted({ jobType: ['channel'] }, failing(own))).toBe(false);
    expect(isMuted({ source: ['*'] }, failing(own))).toBe(true);
    expect(isMuted({ source: ['*'] }, failing({ ...own, table: 'tocsin_canary', jobType: 'canary' }))).toBe(false);
  });

  test('is muted by a silence until the resolution only in an alert that the silence was made for', () => {
    const bound = silence({ source: ['apple'] }, { end: { until: 'resolved' }, alertIds: [alertId] });
    expect(mutesFor([bound], failing())).toEqual([]);
    expect(mutesFor([bound], failing({}, 'error', alert()))).toHaveLength(1);
    const other = alert({ id: '00000000-0000-4000-8000-000000000002' as AlertId });
    expect(mutesFor([bound], failing({}, 'error', other))).toEqual([]);
  });
});

describe('an open alert', () => {
  test('is muted when all that it is fits', () => {
    expect(mutes(silence({ jobType: ['sync'] }), alert())).toBe(true);
    expect(mutes(silence({ kind: ['stuck'] }), alert({ conditions: { stuck: 1 } }))).toBe(true);
    expect(mutes(silence({ kind: ['stuck'] }), alert({ conditions: { stuck: 1 }, occurrences: 2 }))).toBe(false);
    expect(mutes(silence({ kind: ['stuck', 'failed'] }), alert({ conditions: { stuck: 1 }, occurrences: 2 }))).toBe(
      true,
    );
  });
});
