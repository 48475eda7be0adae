import { describe, expect, test } from 'vitest';
import {
  at,
  batched,
  begins,
  ends,
  failure,
  fails,
  follows,
  given,
  jobsPolicy,
  notified,
  refused,
  success,
} from '../fixtures/builders.ts';
import type { AlertState } from './alert-state.ts';
import { decideEscalate } from './decide-escalate.ts';
import { decideRetraction } from './decide-retraction.ts';
import { decideSettle } from './decide-settle.ts';
import { decideResolve, decideSuccess } from './decide.ts';
import { effectsOf, joins } from './effects.ts';
import { evolveAlert } from './evolve-alert.ts';
import type { FailureSignal } from './signal.ts';

const flapping = { count: 6, withinMs: 86_400_000, holdMs: 3_600_000 };
/** A flapping alert, opened two minutes after three and told a quarter of an hour later. */
const flaps = (signal: FailureSignal = failure()): AlertState =>
  given(fails(null, signal, jobsPolicy, null, { flapping }).events, batched(1), notified(1));
const fine = (state: AlertState, minutes: number): AlertState =>
  follows(
    state,
    decideSuccess(state, success({ finishedAt: at(minutes) }), at(minutes)),
    'SuccessDetected',
    'ResolutionHeld',
  );
const broken = (state: AlertState, minutes: number): AlertState =>
  follows(state, fails(state, failure({ failedAt: at(minutes) })), 'FailureDetected');

describe('a flapping alert', () => {
  test('is opened as one, told, and looked at when it has been broken for its hold', () => {
    const { events } = fails(null, failure(), jobsPolicy, null, { flapping });
    const state = given(events);
    expect(state).toMatchObject({
      openedFlapping: flapping,
      flapping: { ...flapping, failingSince: at(182), heldUntil: null },
    });
    expect(events.flatMap((event) => effectsOf(null, event, state))).toMatchObject([
      { type: 'JoinDigest' },
      { type: 'ScheduleSettle', at: at(242) },
    ]);
  });

  test('keeps quiet about further failures', () => {
    const state = broken(flaps(), 200);
    expect(joins(state)).toEqual([]);
    expect(state.pending['default']).toMatchObject({ failures: 1 });
  });

  test('that is fine again is held first, and resolved when it stayed so', () => {
    const decision = decideSuccess(flaps(), success({ finishedAt: at(200) }), at(200));
    const held = follows(flaps(), decision, 'SuccessDetected', 'ResolutionHeld');
    expect(decision.events.flatMap((event) => effectsOf(flaps(), event, held))).toEqual([
      { type: 'ScheduleSettle', alertId: held.id, at: at(260) },
    ]);
    refused(decideSettle(held, at(259)), at(260));
    refused(decideSuccess(held, success({ finishedAt: at(210) }), at(210)), /fine already/);
    const resolved = follows(held, decideSettle(held, at(260)), 'AlertResolved');
    expect(resolved.resolution).toMatchObject({ reason: 'succeeded', resolvedAt: at(200) });
    expect(joins(resolved)).toHaveLength(1);
    refused(decideSettle(resolved, at(300)), /already resolved/);
  });

  test('that fails again within the hold begins to count anew', () => {
    const held = fine(flaps(), 200);
    const decision = fails(held, failure({ failedAt: at(210) }));
    const again = follows(held, decision, 'FailureDetected');
    expect(again.flapping).toMatchObject({ failingSince: at(210), heldUntil: null });
    expect(decision.events.flatMap((event) => effectsOf(held, event, again))).toMatchObject([
      { type: 'ScheduleEscalation', at: at(227) },
      { type: 'ScheduleSettle', at: at(270) },
    ]);
    refused(decideSettle(again, at(260)), at(270));
  });

  test('whose late failure was made good before it was heard of is held anew', () => {
    const held = fine(flaps(), 200);
    const late = follows(
      held,
      fails(held, failure({ failedAt: at(190), observedAt: at(205) })),
      'FailureDetected',
      'ResolutionHeld',
    );
    expect(late.flapping).toMatchObject({ heldUntil: at(265) });
  });

  test('that stays broken is told as settled and then treated like any other', () => {
    const state = broken(flaps(), 200);
    refused(decideSettle(state, at(241)), at(242));
    const decision = decideSettle(state, at(242));
    const settled = follows(state, decision, 'FlappingEnded');
    expect(settled).toMatchObject({ flapping: null, openedFlapping: flapping });
    expect(settled.pending['default']).toMatchObject({ settled: true, failures: 1 });
    expect(decision.events.flatMap((event) => effectsOf(state, event, settled))).toMatchObject([
      { type: 'JoinDigest' },
      { type: 'ScheduleEscalation' },
    ]);
    refused(decideSettle(settled, at(300)), 'it is not flapping');
    follows(
      settled,
      decideSuccess(settled, success({ finishedAt: at(300) }), at(300)),
      'SuccessDetected',
      'AlertResolved',
    );
    expect(joins(broken(evolveAlert(settled, batched(2)), 310))).toHaveLength(1);
  });

  test('is closed by hand at once', () => {
    const held = fine(flaps(), 200);
    follows(held, decideResolve(held, { by: 'ann', note: null }, at(210)), 'AlertResolved');
  });

  test('of a condition is held when the condition ends', () => {
    const stuck = begins();
    const state = flaps(stuck);
    const held = follows(
      state,
      decideRetraction(state, ends(stuck, { endedAt: at(202) }), at(203)),
      'FailureRetracted',
      'ResolutionHeld',
    );
    expect(held.flapping).toMatchObject({ heldUntil: at(263) });
    expect(follows(held, decideSettle(held, at(263)), 'AlertResolved').resolution).toMatchObject({
      reason: 'retracted',
      resolvedAt: at(202),
    });
  });

  test('escalates its one notice, but not while it is fine', () => {
    const state = flaps();
    expect(decideEscalate(state, { route: 'default', level: 1 }, at(227)).events).toHaveLength(1);
    refused(decideEscalate(fine(state, 200), { route: 'default', level: 1 }, at(227)), /flapping and fine/);
  });
});
