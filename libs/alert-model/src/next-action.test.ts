import { describe, expect, test } from 'vitest';
import {
  at,
  batched,
  digestId,
  everything,
  failure,
  fails,
  given,
  jobsPolicy,
  notified,
  opened,
  silence,
  success,
  told,
} from '../fixtures/builders.ts';
import { decideAcknowledge } from './decide-acknowledge.ts';
import { decideSilence } from './decide-silence.ts';
import { decideSuccess } from './decide.ts';
import type { AlertState, NextAction } from './alert-state.ts';
import type { Decision } from './decision.ts';
import type { Lease } from './event.ts';
import { evolveAlert } from './evolve-alert.ts';
import { nextActionOf } from './next-action.ts';

const flapping = { count: 6, withinMs: 86_400_000, holdMs: 3_600_000 };
const after = (state: AlertState, decide: (state: AlertState) => Decision): AlertState =>
  decide(state).events.reduce<AlertState>(evolveAlert, state);
const held = (lease: Lease): AlertState =>
  after(given(told()), (state) => decideAcknowledge(state, { by: 'ann', via: 'cli', lease, note: null }, at(200)));
const muted = (state: AlertState, changes: Parameters<typeof silence>[1] = {}): AlertState =>
  after(state, (one) => decideSilence(one, silence(1, changes), new Set([digestId(1)]), at(200)));
const resolved = (state: AlertState): AlertState =>
  after(state, (one) => decideSuccess(one, success({ finishedAt: at(220) }), at(221)));
const flaps = (): AlertState => given(fails(null, failure(), jobsPolicy, null, { flapping }).events);
const quiet = { ...jobsPolicy, routes: [{ ...everything, escalation: null }] };

describe('what comes next', () => {
  test.for<readonly [caption: string, state: () => AlertState, next: NextAction['action'], at: string | null]>([
    ['news that sits in no digest joins one at once', () => given(opened()), 'rejoin', at(182)],
    ['news in a digest is told when the digest is due', () => given(opened(), batched(1)), 'digest', at(197)],
    ['what was told is told to the next level', () => given(told()), 'escalate', at(227)],
    ['without an escalation it waits for a success', () => given(told(failure(), quiet)), 'wait', null],
    ['an acknowledgement until a time ends', () => held({ until: 'time', at: at(540) }), 'lapse', at(540)],
    ['an acknowledgement until success ends by itself', () => held({ until: 'success' }), 'wait', null],
    ['a silence ends', () => muted(given(told())), 'unsilence', at(540)],
    [
      'a silence until the resolution has no time',
      () => muted(given(told()), { end: { until: 'resolved' } }),
      'wait',
      null,
    ],
    ['news under a silence waits for its end', () => muted(given(opened(), batched(1))), 'unsilence', at(540)],
    [
      'a flapping alert settles',
      () =>
        given(
          ...[flaps()].map(() => fails(null, failure(), quiet, null, { flapping }).events),
          batched(1),
          notified(1),
        ),
      'settle',
      at(242),
    ],
    [
      'a flapping alert that is told is escalated before it settles',
      () => given(fails(null, failure(), jobsPolicy, null, { flapping }).events, batched(1), notified(1)),
      'escalate',
      at(227),
    ],
    [
      'a flapping alert that is fine settles and nothing else',
      () => resolved(given(fails(null, failure(), jobsPolicy, null, { flapping }).events, batched(1), notified(1))),
      'settle',
      at(281),
    ],
    ['the resolution joins a digest', () => resolved(given(told())), 'rejoin', at(221)],
    [
      'the resolution is told',
      () => evolveAlert(resolved(given(told())), batched(2, { dueAt: at(236) })),
      'digest',
      at(236),
    ],
    [
      'when everybody knows that it is over there is nothing left',
      () => evolveAlert(resolved(given(opened(), batched(1))), notified(1, { reportedResolved: true })),
      'none',
      null,
    ],
  ])('%s', ([, make, action, when]) => {
    expect(make().next).toEqual({ action, at: when });
  });

  test('is the earliest of everything the alert waits for', () => {
    const state = muted(held({ until: 'time', at: at(500) }), { end: { until: 'time', at: at(400) } });
    expect(state.next).toEqual({ action: 'unsilence', at: at(400) });
    const longer = muted(held({ until: 'time', at: at(500) }), { end: { until: 'time', at: at(600) } });
    expect(longer.next).toEqual({ action: 'lapse', at: at(500) });
  });

  test('is no escalation on a route that has told nobody', () => {
    const escalation = { name: 'soon', levels: [{ afterMs: 1, channels: ['pager'], severities: null }], repeat: null };
    const two = { ...quiet, routes: [...quiet.routes, { ...everything, name: 'night', escalation }] };
    const state = given(
      opened(failure(), two),
      batched(1),
      batched(2, { route: 'night', dueAt: at(300) }),
      notified(1),
    );
    expect(state.next).toEqual({ action: 'digest', at: at(300) });
  });

  test('follows from the state alone', () => {
    const state = given(told());
    expect(nextActionOf({ ...state }, at(999))).toEqual(state.next);
  });
});
