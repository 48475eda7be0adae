import { describe, expect, test } from 'vitest';
import {
  at,
  batched,
  deliveryId,
  digestId,
  everything,
  failure,
  fails,
  follows,
  given,
  jobsPolicy,
  notified,
  opened,
  refused,
  silence,
  told,
} from '../fixtures/builders.ts';
import { decideAcknowledge, decideUnacknowledge } from './decide-acknowledge.ts';
import { decideEscalate } from './decide-escalate.ts';
import { decideSilence, decideUnsilence } from './decide-silence.ts';
import { effectsOf } from './effects.ts';
import type { AlertState } from './alert-state.ts';
import type { Decision } from './decision.ts';
import { evolveAlert } from './evolve-alert.ts';
import type { FrozenEscalation, Policy } from './policy.ts';

const minutes = (count: number): number => count * 60_000;
const ladder: FrozenEscalation = {
  name: 'nights',
  levels: [
    { afterMs: minutes(10), channels: ['second'], severities: null },
    { afterMs: minutes(20), channels: ['phone'], severities: ['critical'] },
  ],
  repeat: { everyMs: minutes(60), times: 2 },
};
const policy: Policy = { ...jobsPolicy, routes: [{ ...everything, escalation: ladder }] };
const critical: Policy = { ...policy, rules: [{ name: 'r', match: {}, severity: 'critical' }] };

/** What a decision asks for about escalations: step and time. */
const asked = (state: AlertState, decision: Decision): readonly (readonly [number, string])[] => {
  let before = state;
  return decision.events.flatMap((event) => {
    const after = evolveAlert(before, event);
    const effects = effectsOf(before, event, after);
    before = after;
    return effects.flatMap((effect) =>
      effect.type === 'ScheduleEscalation' ? [[effect.level, effect.at] as const] : [],
    );
  });
};
const due = (level: number) => ({ route: 'default', level });

describe('a ladder', () => {
  test('is climbed step by step: each asks for the time of the next, counted from the same clock', () => {
    let state = given(told(failure(), critical));
    for (const [level, minute, repeat, next] of [
      [1, 207, 0, [2, 217]],
      [2, 217, 0, [3, 277]],
      [3, 277, 1, [4, 337]],
    ] as const) {
      refused(decideEscalate(state, due(level), at(minute - 1)), `its clock runs until ${at(minute)}`);
      const decision = decideEscalate(state, due(level), at(minute));
      expect(decision.events[0]).toMatchObject({ data: { level, repeat, escalation: 'nights' } });
      expect(asked(state, decision)).toEqual([[next[0], at(next[1])]]);
      state = follows(state, decision, 'AlertEscalated');
      refused(decideEscalate(state, due(level), at(minute)), /told before/);
      expect(state).toMatchObject({
        escalationLevel: level,
        escalations: { default: { step: level, at: at(minute) } },
      });
    }
    const last = decideEscalate(state, due(4), at(400));
    expect(last.events[0]).toMatchObject({ data: { level: 4, repeat: 2, channels: ['second', 'phone'] } });
    expect(asked(state, last)).toEqual([]);
    refused(decideEscalate(follows(state, last, 'AlertEscalated'), due(5), at(999)), /nobody further/);
  });

  test('passes over a level that is not for the severity', () => {
    const state = given(told(failure(), policy));
    const first = decideEscalate(state, due(1), at(207));
    expect(asked(state, first)).toEqual([[3, at(277)]]);
    const climbed = follows(state, first, 'AlertEscalated');
    refused(decideEscalate(climbed, due(2), at(217)), `its clock runs until ${at(277)}`);
    expect(decideEscalate(climbed, due(3), at(277)).events[0]).toMatchObject({
      data: { level: 3, channels: ['second'] },
    });
  });

  test('asks for the level that a worse severity makes due, at once where its time has passed', () => {
    const state = given(told(failure(), policy));
    const climbed = follows(state, decideEscalate(state, due(1), at(207)), 'AlertEscalated');
    const worse = fails(climbed, failure({ failedAt: at(230) }), critical);
    expect(asked(climbed, worse)).toEqual([[2, at(230)]]);
    const raised = follows(climbed, worse, 'FailureDetected', 'SeverityRaised');
    expect(decideEscalate(raised, due(2), at(230)).events[0]).toMatchObject({ data: { channels: ['phone'] } });
  });

  test('is climbed on each route by itself', () => {
    const two: Policy = { ...policy, routes: [...policy.routes, { ...everything, name: 'night', escalation: ladder }] };
    const state = given(
      opened(failure(), two),
      batched(1),
      batched(2, { route: 'night' }),
      notified(1),
      notified(2, { route: 'night', channel: 'slack', acceptedAt: at(203) }),
    );
    const after = follows(state, decideEscalate(state, { route: 'night', level: 1 }, at(207)), 'AlertEscalated');
    expect(after.escalations).toEqual({ night: { step: 1, at: at(207) } });
    expect(decideEscalate(after, due(1), at(207)).events).toHaveLength(1);
  });

  test('of a route that tells later than another is set when it tells, by the clock that runs', () => {
    const two: Policy = { ...policy, routes: [...policy.routes, { ...everything, name: 'night', escalation: ladder }] };
    const before = given(opened(failure(), two), batched(1), batched(2, { route: 'night' }), notified(1));
    const event = notified(2, { route: 'night', channel: 'slack', acceptedAt: at(203) });
    expect(effectsOf(before, event, evolveAlert(before, event))).toEqual([
      { type: 'ScheduleEscalation', digestId: digestId(2), route: 'night', level: 1, at: at(207) },
    ]);
  });

  test('that leads back to the same channel goes on', () => {
    const state = given(told(failure(), policy));
    const climbed = given(
      told(failure(), policy),
      ...decideEscalate(state, due(1), at(207)).events,
      batched(2, { purpose: 'escalation' }),
      notified(2, { purpose: 'escalation', channel: 'email', deliveryId: deliveryId(2), acceptedAt: at(208) }),
    );
    expect(climbed.told).toHaveLength(1);
    expect(asked(climbed, decideEscalate(climbed, due(3), at(277)))).toEqual([[4, at(337)]]);
  });
});

describe('what keeps a ladder from being climbed', () => {
  test('an acknowledgement: after it the ladder begins at its foot', () => {
    const state = given(told(failure(), policy));
    const climbed = follows(state, decideEscalate(state, due(1), at(207)), 'AlertEscalated');
    const lease = { by: 'ann', via: 'console', lease: { until: 'success' as const }, note: null };
    const held = follows(climbed, decideAcknowledge(climbed, lease, at(208)), 'AlertAcknowledged');
    expect(held).toMatchObject({ escalationLevel: 0, escalatedAt: null, unansweredSince: null });
    expect(held.escalations).toEqual({});
    const back = decideUnacknowledge(held, 'ann', at(230));
    expect(asked(held, back)).toEqual([[1, at(240)]]);
  });

  test('a silence: when it ends, what has become due meanwhile is due at once', () => {
    const state = given(told(failure(), policy));
    const muted = follows(state, decideSilence(state, silence(1), new Set(), at(200)), 'AlertSilenced');
    refused(decideEscalate(muted, due(1), at(207)), 'it is silenced by ann');
    const over = decideUnsilence(muted, silence(1).id, 'expired', null, at(540));
    expect(asked(muted, over)).toEqual([[1, at(540)]]);
    const early = decideUnsilence(muted, silence(1).id, 'ended', 'bob', at(202));
    expect(asked(muted, early)).toEqual([[1, at(207)]]);
  });

  test('a silence that takes an escalation out of its digest: the step is climbed again', () => {
    const state = given(told(failure(), policy));
    const climbed = given(
      told(failure(), policy),
      ...decideEscalate(state, due(1), at(207)).events,
      batched(2, { purpose: 'escalation' }),
    );
    const muted = follows(
      climbed,
      decideSilence(climbed, silence(1), new Set([digestId(2)]), at(207)),
      'AlertSilenced',
    );
    expect(muted).toMatchObject({ escalationLevel: 0 });
    expect(muted.pending).toEqual({});
    expect(muted.batches).toEqual({});
    expect(muted.escalations).toEqual({});
    expect(asked(muted, decideUnsilence(muted, silence(1).id, 'ended', 'bob', at(300)))).toEqual([[1, at(300)]]);
  });
});
