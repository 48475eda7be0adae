import { describe, expect, test } from 'vitest';
import {
  albums,
  artists,
  at,
  chainPolicy,
  failure,
  fails,
  follows,
  given,
  jobsPolicy,
  monday,
  rebuild,
  refused,
  runOf,
  songs,
  success,
  told,
  wholeRun,
} from '../fixtures/builders.ts';
import type { AlertState } from './alert-state.ts';
import { decideSuccess } from './decide.ts';
import type { Policy } from './policy.ts';
import { recoveryOf } from './recovery.ts';
import type { FailureSignal, RunContext, Step } from './signal.ts';

/** A step fails in the run of that Monday, that many minutes after its start. */
const failsIn = (week: number, step: Step, minutes: number, runContext: Partial<RunContext> = {}): FailureSignal =>
  failure({
    ...step,
    run: runOf(week),
    failedAt: at(monday(week) + 180 + minutes),
    runContext: {
      steps: [{ ...step, status: 'failed' }],
      learned: [],
      lastGreenAt: at(monday(-1) + 220),
      ...runContext,
    },
  });

/** Tells the alert of steps that succeeded in the run of that Monday, ten minutes after each other. */
const succeedIn = (state: AlertState, week: number, steps: readonly Step[], from = 1): AlertState =>
  steps.reduce<AlertState>((current, step, index) => {
    const finishedAt = at(monday(week) + 180 + from + index * 10);
    const decision = decideSuccess(current, success({ ...step, run: runOf(week), finishedAt }), finishedAt);
    return follows(current, decision, ...decision.events.map((event) => event.type));
  }, state);

/** An operator repeats steps outside any run, minutes after midnight of that Monday. */
const byHand = (state: AlertState, week: number, minutes: number, steps: readonly Step[]): AlertState =>
  steps.reduce<AlertState>((current, step) => {
    const decision = decideSuccess(
      current,
      success({ ...step, finishedAt: at(monday(week) + minutes) }),
      at(monday(week) + minutes),
    );
    return follows(current, decision, ...decision.events.map((event) => event.type));
  }, state);

const learned = { learned: [...wholeRun] };
/** The same chain, known in two ways. */
const chains: readonly { readonly kind: string; readonly policy: Policy; readonly context: Partial<RunContext> }[] = [
  { kind: 'a configured chain', policy: chainPolicy, context: {} },
  { kind: 'an unnamed chain with learned steps', policy: jobsPolicy, context: learned },
];

describe.for(chains)('$kind', ({ policy, context }) => {
  const firstMonday = given(told(failsIn(0, songs, 5, context), policy));

  test('(7) songs failed and rebuild_index did not run: one alert owes both', () => {
    expect(firstMonday).toMatchObject({ state: 'notified', missing: [rebuild], lastGreenAt: at(monday(-1) + 220) });
    expect(firstMonday.owed).toMatchObject({
      'refresh_catalog/songs': { missing: false },
      rebuild_index: { missing: true },
    });
  });

  test('(8) the next Monday songs is fine but rebuild_index fails: the same alert, a new occurrence, not resolved', () => {
    const ran = succeedIn(firstMonday, 1, [albums, songs, artists]);
    const failed = follows(ran, fails(ran, failsIn(1, rebuild, 40, context), policy), 'FailureDetected');
    expect(failed).toMatchObject({ state: 'detected', occurrences: 2, failedRuns: [runOf(0), runOf(1)] });
    expect(recoveryOf(failed)).toBeNull();
  });

  test('(9) the third Monday all four succeed: resolved by a whole green run, at the end of it', () => {
    const ran = succeedIn(firstMonday, 1, [albums, songs, artists]);
    const failed = follows(ran, fails(ran, failsIn(1, rebuild, 40, context), policy), 'FailureDetected');
    const fine = succeedIn(failed, 2, wholeRun);
    expect(fine).toMatchObject({
      state: 'resolved',
      resolution: { reason: 'chain-run-green', resolvedAt: at(monday(2) + 180 + 31) },
    });
  });

  test('(9) in whatever order the four are heard of', () => {
    const fine = succeedIn(firstMonday, 1, wholeRun.toReversed());
    expect(fine.resolution).toMatchObject({ reason: 'chain-run-green', resolvedAt: at(monday(1) + 180 + 31) });
  });

  test('(10) songs and then rebuild_index repeated by hand outside a run: every failed step has succeeded since', () => {
    const one = byHand(firstMonday, 0, 300, [songs]);
    expect(one.state).toBe('notified');
    const both = byHand(one, 0, 310, [rebuild]);
    expect(both.resolution).toMatchObject({ reason: 'failed-steps-succeeded', resolvedAt: at(310) });
  });

  test('(8, 10) songs fine in the second run and rebuild_index repeated by hand after it: resolved', () => {
    const ran = succeedIn(firstMonday, 1, [albums, songs, artists]);
    const failed = follows(ran, fails(ran, failsIn(1, rebuild, 40, context), policy), 'FailureDetected');
    expect(byHand(failed, 1, 300, [rebuild]).resolution?.reason).toBe('failed-steps-succeeded');
  });

  test('the rows of the failed run repeated in place count as repeated by hand', () => {
    const one = succeedIn(firstMonday, 0, [songs], 100);
    expect(one.state).toBe('notified');
    expect(succeedIn(one, 0, [rebuild], 120).resolution).toMatchObject({
      reason: 'failed-steps-succeeded',
      resolvedAt: at(300),
    });
  });

  test('the whole failed run repeated in place is a green run', () => {
    expect(succeedIn(firstMonday, 0, wholeRun, 100).resolution?.reason).toBe('chain-run-green');
  });

  test.for([[[songs]], [[albums, songs, artists]], [[songs, rebuild]], [[albums, artists, rebuild]]])(
    'a later run in which only %j succeeded resolves nothing',
    ([steps]) => {
      expect(succeedIn(firstMonday, 1, steps as readonly Step[]).state).toBe('notified');
    },
  );

  test('two later runs that are each half done make no whole one', () => {
    const half = succeedIn(firstMonday, 1, [albums, songs]);
    expect(succeedIn(half, 2, [artists, rebuild]).state).toBe('notified');
  });

  test('a run that was green before the failure of a row in it resolves nothing', () => {
    const late = given(told(failsIn(0, songs, 300, context), policy));
    expect(succeedIn(late, 0, wholeRun, 1).state).toBe('notified');
  });

  test('(11) a success of the failed step that finished before the failure changes nothing', () => {
    refused(
      decideSuccess(firstMonday, success({ ...songs, run: runOf(0), finishedAt: at(184) }), at(300)),
      /before the failure/,
    );
  });

  test('(12) albums and songs fail in the same run, 20 minutes apart: one alert with both', () => {
    const both = follows(firstMonday, fails(firstMonday, failsIn(0, albums, 25, context), policy), 'FailureDetected');
    expect(both).toMatchObject({
      state: 'detected',
      occurrences: 2,
      pending: { default: { failures: 1, opened: false } },
    });
    expect(byHand(both, 0, 300, [songs, rebuild]).state).toBe('detected');
    expect(byHand(both, 0, 300, [songs, rebuild, albums]).state).toBe('resolved');
  });

  test('a green run makes older failures good although a step failed again after it', () => {
    const state = follows(firstMonday, fails(firstMonday, failsIn(2, albums, 5, context), policy), 'FailureDetected');
    const ran = succeedIn(state, 1, wholeRun);
    expect(ran.state).toBe('detected');
    expect(byHand(ran, 2, 300, [albums, rebuild]).resolution).toMatchObject({ reason: 'failed-steps-succeeded' });
  });
});

describe('an unnamed chain whose steps are not known', () => {
  const failed = given(told(failsIn(0, songs, 5)));

  test('owes only what failed, and any later run may pay it', () => {
    expect(Object.keys(failed.owed)).toEqual(['refresh_catalog/songs']);
    expect(succeedIn(failed, 1, [songs]).resolution?.reason).toBe('failed-steps-succeeded');
  });

  test('takes no note of steps that never failed', () => {
    refused(
      decideSuccess(failed, success({ ...albums, run: runOf(1), finishedAt: at(monday(1)) }), at(monday(1))),
      /nothing of that name/,
    );
  });

  test('waits for every step that failed, in whatever runs', () => {
    const both = follows(failed, fails(failed, failsIn(1, albums, 5)), 'FailureDetected');
    const one = succeedIn(both, 2, [songs]);
    expect(one.state).toBe('detected');
    expect(succeedIn(one, 3, [albums]).state).toBe('resolved');
  });
});

describe('a step configured without targets', () => {
  test('is one step, whatever target its rows name', () => {
    const failed = given(told(failsIn(0, { jobType: 'rebuild_index', targetId: 'index-7' }, 40), chainPolicy));
    expect(Object.keys(failed.owed)).toEqual(['rebuild_index']);
    expect(
      succeedIn(failed, 1, [albums, songs, artists, { jobType: 'rebuild_index', targetId: 'index-8' }]).state,
    ).toBe('resolved');
  });
});

test('a job on its own has recovered when it succeeded after its own failure', () => {
  const failed = given(told());
  expect(recoveryOf(failed)).toBeNull();
  expect(byHand(failed, 0, 190, [songs]).resolution).toMatchObject({ reason: 'succeeded', resolvedAt: at(190) });
});
