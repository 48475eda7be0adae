import { describe, expect, test } from 'vitest';
import {
  albums,
  alertId,
  at,
  batched,
  chainPolicy,
  classified,
  digestId,
  failure,
  fails,
  given,
  jobsPolicy,
  opened,
  refused,
  runOf,
  success,
  follows,
  told,
} from '../fixtures/builders.ts';
import { decideFailure, decideSuccess } from './decide.ts';
import { effectsOf } from './effects.ts';

describe('a failure', () => {
  test('opens an alert that carries the policy of that moment', () => {
    const signal = failure({ error: 'HTTP 503', notes: ['no finished_at'] });
    const decision = fails(null, signal);
    const state = given(decision.events);
    expect(state).toMatchObject({
      state: 'detected',
      version: 1,
      occurrences: 1,
      severity: 'error',
      key: 'job/apple/refresh_catalog/songs',
    });
    expect(decision.events[0]).toMatchObject({
      data: { opening: { routes: classified(signal).routes, predecessor: null } },
    });
  });

  test('(3) set back by hand and failing for good again is a new occurrence of the same alert', () => {
    const state = given(told());
    const after = follows(state, fails(state, failure({ failedAt: at(300) })), 'FailureDetected');
    expect(after).toMatchObject({ state: 'detected', occurrences: 2, lastFailedAt: at(300) });
    expect(after.pending['default']).toMatchObject({ failures: 1, opened: false });
  });

  test('(6) of a dead job with attempts 1 of 5 is told like any other', () => {
    const signal = failure({ kind: 'dead', attempts: 1, maxAttempts: 5 });
    const [event] = fails(null, signal).events;
    const state = given(fails(null, signal).events);
    expect(event && effectsOf(null, event, state)).toMatchObject([
      { type: 'JoinDigest', route: 'default', purpose: 'window' },
    ]);
  });

  test('of a higher severity raises the alert’s, and of a lower one leaves it', () => {
    const state = given(told());
    const critical = { ...jobsPolicy, rules: [{ name: 'r', match: {}, severity: 'critical' as const }] };
    const raised = follows(state, fails(state, failure(), critical), 'FailureDetected', 'SeverityRaised');
    expect(raised.severity).toBe('critical');
    expect(follows(raised, fails(raised, failure()), 'FailureDetected').severity).toBe('critical');
  });

  test('(21) after the resolution opens a new alert that names its predecessor', () => {
    const predecessor = { alertId: alertId(9), resolvedAt: at(200), recentCount: 2 };
    expect(given(opened(failure(), jobsPolicy, predecessor)).predecessor).toEqual(predecessor);
  });

  test('keeps the facts of the latest failure when an older one is read later', () => {
    const state = given(
      opened(
        failure({ run: runOf(1), failedAt: at(400), runContext: { steps: [], learned: [], lastGreenAt: at(50) } }),
        chainPolicy,
      ),
    );
    const after = follows(
      state,
      fails(state, failure({ run: runOf(0), failedAt: at(190) }), chainPolicy),
      'FailureDetected',
    );
    expect(after).toMatchObject({
      firstFailedAt: at(190),
      lastFailedAt: at(400),
      lastRun: runOf(1),
      lastGreenAt: at(50),
    });
  });
});

describe('a success', () => {
  test('(19) within the window resolves the alert, which still sits in its digest', () => {
    const state = given(opened(), batched(1));
    const after = follows(state, decideSuccess(state, success(), at(188)), 'SuccessDetected', 'AlertResolved');
    expect(after).toMatchObject({
      state: 'resolved',
      resolution: { reason: 'succeeded', resolvedAt: at(187), by: null },
    });
    expect(after.batches[digestId(1)]).toMatchObject({ batch: { failures: 1, opened: true } });
  });

  test('of a job that was told makes the resolution news for exactly that route', () => {
    const state = given(told());
    const after = follows(state, decideSuccess(state, success(), at(230)), 'SuccessDetected', 'AlertResolved');
    expect(after.pending).toMatchObject({ default: { resolved: true, failures: 0 } });
  });

  test('(11) that finished before the failure, or at the same instant, changes nothing', () => {
    for (const policy of [jobsPolicy, chainPolicy]) {
      const state = given(told(failure({ failedAt: at(182) }), policy));
      refused(decideSuccess(state, success({ finishedAt: at(181) }), at(300)), /before the failure/);
      refused(decideSuccess(state, success({ finishedAt: at(182) }), at(300)), /before the failure/);
    }
  });

  test('of other work is none of its business', () => {
    const state = given(told());
    refused(decideSuccess(state, success(albums), at(300)), /nothing of that name/);
  });

  test('of one target leaves the others owing theirs', () => {
    const policy = { ...jobsPolicy, rules: [{ name: 'r', match: {}, groupBy: ['source', 'jobType'] as const }] };
    const first = given(opened(failure(), policy));
    const both = follows(first, fails(first, failure({ ...albums, failedAt: at(183) }), policy), 'FailureDetected');
    const one = follows(both, decideSuccess(both, success(), at(190)), 'SuccessDetected');
    expect(one.state).toBe('detected');
    expect(follows(one, decideSuccess(one, success(albums), at(190)), 'SuccessDetected', 'AlertResolved').state).toBe(
      'resolved',
    );
  });

  test('is recorded once, however often it is delivered', () => {
    const state = given(opened(failure({ run: runOf(0) }), chainPolicy));
    const signal = success({ run: runOf(0), finishedAt: at(200), ...albums });
    const after = follows(state, decideSuccess(state, signal, at(201)), 'SuccessDetected');
    refused(decideSuccess(after, signal, at(201)), /already recorded/);
  });

  test('of a run too old to be remembered is not recorded again and again', () => {
    let state = given(opened(failure({ run: runOf(0) }), chainPolicy));
    const inRun = (week: number) => success({ run: runOf(week), finishedAt: at(300), ...albums });
    for (let week = 5; week < 25; week += 1)
      state = follows(state, decideSuccess(state, inRun(week), at(300)), 'SuccessDetected');
    refused(decideSuccess(state, inRun(1), at(300)), /too old/);
    expect(Object.keys(state.successes)).toHaveLength(20);
  });

  test('after the resolution is refused', () => {
    const state = given(told());
    const after = follows(state, decideSuccess(state, success(), at(230)), 'SuccessDetected', 'AlertResolved');
    refused(decideSuccess(after, success({ finishedAt: at(400) }), at(401)), /already resolved/);
  });

  test('(22) is what a row that vanished is not: without one the alert stays open', () => {
    expect(given(told()).state).toBe('notified');
  });

  test.for(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'of a job called %s is followed like any other',
    (jobType) => {
      const state = given(opened(failure({ jobType, targetId: null })));
      const again = follows(
        state,
        fails(state, failure({ jobType, targetId: null, failedAt: at(185) })),
        'FailureDetected',
      );
      expect(JSON.parse(JSON.stringify(again))).toEqual(again);
      refused(decideSuccess(again, success({ jobType: 'valueOf', targetId: null }), at(188)), /nothing of that name/);
      follows(
        again,
        decideSuccess(again, success({ jobType, targetId: null }), at(188)),
        'SuccessDetected',
        'AlertResolved',
      );
    },
  );
});

test('a first failure is decided with the identity that was passed in', () => {
  const signal = failure();
  const decision = decideFailure(null, signal, classified(signal), {
    now: at(183),
    alertId: alertId(7),
    predecessor: null,
    silences: [],
    flapping: null,
  });
  expect(given(decision.events).id).toBe(alertId(7));
});
