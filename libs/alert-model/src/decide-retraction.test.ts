import { describe, expect, test } from 'vitest';
import {
  albums,
  artists,
  at,
  batched,
  begins,
  chainPolicy,
  ends,
  failure,
  fails,
  follows,
  given,
  jobsPolicy,
  opened,
  rebuild,
  refused,
  runOf,
  songs,
  success,
  told,
} from '../fixtures/builders.ts';
import { suspicionsMax } from './alert-state.ts';
import type { AlertState } from './alert-state.ts';
import { decideRetraction } from './decide-retraction.ts';
import { decideResolve, decideSuccess } from './decide.ts';
import { effectsOf } from './effects.ts';
import { evolveAlert } from './evolve-alert.ts';
import { recoveryOf } from './recovery.ts';
import type { EndCause } from './signal.ts';

const grouped = { ...jobsPolicy, rules: [{ name: 'r', match: {}, groupBy: ['source', 'jobType'] as const }] };

describe('a condition', () => {
  test('is an occurrence like any other, but owes nothing while it holds', () => {
    const stuck = begins();
    const state = given(opened(stuck));
    expect(state).toMatchObject({ state: 'detected', occurrences: 1, owedUntracked: 0 });
    expect(state.owed).toEqual({});
    expect(state.suspicions).toEqual({
      [stuck.outcomeId]: { kind: 'stuck', step: songs, run: null, jobId: '4711', failedAt: at(182) },
    });
  });

  test('keeps its alert open whatever succeeds', () => {
    const state = given(told(begins()));
    const heard = follows(state, decideSuccess(state, success({ finishedAt: at(400) }), at(401)), 'SuccessDetected');
    expect(heard.state).toBe('notified');
    expect(recoveryOf(heard)).toBeNull();
  });

  test('hears of the first success of its name only: it may hold for days while others of that name succeed', () => {
    const state = given(told(begins()));
    refused(decideSuccess(state, success({ finishedAt: at(182) }), at(300)), /before the failure/);
    const heard = follows(state, decideSuccess(state, success({ finishedAt: at(400) }), at(401)), 'SuccessDetected');
    refused(decideSuccess(heard, success({ finishedAt: at(500) }), at(501)), /already recorded/);
  });

  test('late, stuck and failed are occurrences of one alert, whose severity only rises', () => {
    const policy = {
      ...jobsPolicy,
      rules: [{ name: 'r', match: { kind: ['failed'] as const }, severity: 'critical' as const }],
    };
    const stalled = given(told(begins({ kind: 'stalled' }), policy));
    expect(stalled.severity).toBe('warning');
    const stuck = follows(stalled, fails(stalled, begins({ jobId: '2' }), policy), 'FailureDetected', 'SeverityRaised');
    const failed = follows(
      stuck,
      fails(stuck, failure({ failedAt: at(300) }), policy),
      'FailureDetected',
      'SeverityRaised',
    );
    const late = follows(failed, fails(failed, begins({ kind: 'stalled', jobId: '3' }), policy), 'FailureDetected');
    expect(late).toMatchObject({ severity: 'critical', occurrences: 4 });
    expect(Object.keys(late.suspicions)).toHaveLength(3);
  });

  test('in a chain names what has not run, but does not make it owe a success, and is no failed run', () => {
    const state = given(opened(begins({ run: runOf(0) }), chainPolicy));
    expect(state).toMatchObject({ missing: [rebuild], failedRuns: [] });
    expect(state.owed).toEqual({});
  });

  test('beyond those that are followed one by one owes a success like a failure', () => {
    let state = given(opened(begins(), grouped));
    for (let index = 1; index < suspicionsMax + 3; index += 1)
      state = follows(
        state,
        fails(state, begins({ jobId: `${index}`, targetId: `t${index}` }), grouped),
        'FailureDetected',
      );
    expect(Object.keys(state.suspicions)).toHaveLength(suspicionsMax);
    expect(Object.keys(state.owed)).toEqual([1_000, 1_001, 1_002].map((index) => `refresh_catalog/t${index}`));
  });
});

describe('the end of a condition', () => {
  const stuck = begins();

  test.for([
    ['alive', 'retracted'],
    ['succeeded', 'succeeded'],
    ['canceled', 'retracted'],
    ['vanished', 'retracted'],
  ] as const)('by %s resolves an alert that nothing else keeps open, as %s, at its own time', ([cause, reason]) => {
    const state = given(told(stuck));
    const after = follows(
      state,
      decideRetraction(state, ends(stuck, { cause }), at(203)),
      'FailureRetracted',
      'AlertResolved',
    );
    expect(after.resolution).toEqual({ reason, resolvedAt: at(202), by: null, note: 'heartbeat again at 03:22' });
    expect(after.suspicions).toEqual({});
    // What resolves the alert is told once, by the resolution, to those who were told.
    expect(after.pending).toMatchObject({ default: { resolved: true, failures: 0, developments: [] } });
  });

  test('by a bad end leaves its work owing a success since then', () => {
    const state = given(told(begins({ ...albums, run: runOf(0), outcomeId: stuck.outcomeId })));
    const after = follows(state, decideRetraction(state, ends(stuck, { cause: 'ended' }), at(203)), 'FailureRetracted');
    expect(after.owed).toEqual({
      'refresh_catalog/albums': {
        step: albums,
        missing: false,
        failedAt: at(182),
        failedAtByRun: { [runOf(0)]: at(182) },
      },
    });
    expect(after.lastRetraction).toBeNull();
    // The failure that follows tells it, or the janitor does.
    expect(after.pending).toEqual(state.pending);
    const fine = follows(
      after,
      decideSuccess(after, success({ ...albums, finishedAt: at(250) }), at(250)),
      'SuccessDetected',
      'AlertResolved',
    );
    expect(fine.resolution).toMatchObject({ reason: 'failed-steps-succeeded', resolvedAt: at(250) });
  });

  test('by a bad end is made good by a success that was heard of while the condition held', () => {
    const state = given(told(stuck));
    const heard = follows(state, decideSuccess(state, success({ finishedAt: at(250) }), at(250)), 'SuccessDetected');
    const after = follows(
      heard,
      decideRetraction(heard, ends(stuck, { cause: 'ended' }), at(300)),
      'FailureRetracted',
      'AlertResolved',
    );
    expect(after.resolution).toEqual({ reason: 'succeeded', resolvedAt: at(250), by: null, note: null });
  });

  test('is news as long as the alert stays open, and asks for a place in a digest', () => {
    const other = begins({ ...albums, jobId: '2' });
    const first = given(opened(stuck, grouped));
    const both = given(opened(stuck, grouped), fails(first, other, grouped).events, batched(1));
    const decision = decideRetraction(both, ends(stuck), at(203));
    const after = follows(both, decision, 'FailureRetracted');
    expect(after.pending['default']?.developments).toEqual([
      { what: 'retracted', jobId: '4711', kind: 'stuck', at: at(202), detail: 'heartbeat again at 03:22' },
    ]);
    expect(after).toMatchObject({ state: 'detected', occurrences: 2 });
    const [event] = decision.events;
    expect(event && effectsOf(both, event, after)).toMatchObject([{ type: 'JoinDigest', route: 'default' }]);
  });

  test.for<[EndCause, string]>([
    ['alive', 'it goes on'],
    ['vanished', 'its row is gone'],
  ])('without a note of its own by %s is told as "%s"', ([cause, detail]) => {
    const state = given(
      told(failure({ ...artists, jobId: '9' }), grouped),
      fails(given(opened(failure(), grouped)), stuck, grouped).events,
    );
    const after = follows(
      state,
      decideRetraction(state, ends(stuck, { cause, note: null }), at(203)),
      'FailureRetracted',
    );
    expect(after.pending['default']?.developments[0]?.detail).toBe(detail);
  });

  test('waits with the other news while somebody holds the alert', () => {
    const state = given(told(stuck, grouped), {
      type: 'AlertAcknowledged',
      occurredAt: at(200),
      data: { by: 'ann', via: 'console', lease: { until: 'success' }, note: null },
    });
    const both = follows(state, fails(state, begins({ ...albums, jobId: '2' }), grouped), 'FailureDetected');
    const decision = decideRetraction(both, ends(stuck), at(203));
    const after = follows(both, decision, 'FailureRetracted');
    expect(after.state).toBe('acknowledged');
    const [event] = decision.events;
    expect(event && effectsOf(both, event, after)).toEqual([]);
  });

  test('is refused when it is heard again, when nobody knows of the beginning, and after the resolution', () => {
    const state = given(told(stuck), fails(given(told(stuck)), failure({ jobId: '9' })).events);
    const after = follows(state, decideRetraction(state, ends(stuck), at(203)), 'FailureRetracted');
    refused(decideRetraction(after, ends(stuck), at(203)), /no condition of that name/);
    refused(decideRetraction(after, ends(begins()), at(203)), /no condition of that name/);
    const closed = follows(after, decideResolve(after, { by: 'ann', note: null }, at(204)), 'AlertResolved');
    refused(decideRetraction(closed, ends(stuck), at(205)), /already resolved/);
  });

  test('says nothing of failures beside it: they still owe their success, and only then is it over', () => {
    const failed = given(told(failure({ jobId: '9', failedAt: at(100) })));
    const both = follows(failed, fails(failed, stuck), 'FailureDetected');
    const alive = follows(both, decideRetraction(both, ends(stuck, { endedAt: at(400) }), at(401)), 'FailureRetracted');
    expect(alive.state).toBe('detected');
    const fine = follows(
      alive,
      decideSuccess(alive, success({ finishedAt: at(300) }), at(402)),
      'SuccessDetected',
      'AlertResolved',
    );
    // It was not fine as long as the job stood still, although the failure was made good before.
    expect(fine.resolution).toMatchObject({ reason: 'succeeded', resolvedAt: at(400), note: null });
  });

  test('of several is judged by the last of them in time, in whatever order they are heard of', () => {
    const list = [begins(), begins({ jobId: '2' }), begins({ jobId: '3' })];
    const state = list
      .slice(1)
      .reduce<AlertState>(
        (current, one) => fails(current, one).events.reduce<AlertState>(evolveAlert, current),
        given(told(list[0])),
      );
    const endings = list.map((one, index) =>
      ends(one, { cause: index === 1 ? 'succeeded' : 'alive', endedAt: at(210 + (index % 2)) }),
    );
    for (const order of [endings, endings.toReversed(), [endings[1], endings[2], endings[0]]]) {
      const after = order.reduce<AlertState>(
        (current, end) =>
          end === undefined
            ? current
            : decideRetraction(current, end, at(300)).events.reduce<AlertState>(evolveAlert, current),
        state,
      );
      expect(after.resolution).toMatchObject({ reason: 'succeeded', resolvedAt: at(211) });
    }
  });
});
