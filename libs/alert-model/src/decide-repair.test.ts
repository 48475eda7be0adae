import { describe, expect, test } from 'vitest';
import { at, begins, ends, follows, given, refused, repairs, told } from '../fixtures/builders.ts';
import { developmentsMax } from './alert-state.ts';
import type { AlertState } from './alert-state.ts';
import { decideRepair } from './decide-repair.ts';
import { decideRetraction } from './decide-retraction.ts';
import { effectsOf } from './effects.ts';
import type { JobRepairedSignal } from './signal.ts';

describe('a repair', () => {
  const stuck = begins();
  const state = given(told(stuck));

  test.for<[string, Partial<JobRepairedSignal>, string, string | null]>([
    ['a job put back into the queue', {}, 'requeued', 'restart 1'],
    ['one that says which restart it is', { reason: 'restart 1 of 3' }, 'requeued', 'restart 1 of 3'],
    ['a job marked dead', { action: 'mark_dead', restart: null }, 'marked-dead', null],
    [
      'a job left alone',
      { result: 'skipped', restart: null, reason: 'it was restarted 3 times' },
      'repair-skipped',
      'it was restarted 3 times',
    ],
  ])('of %s is news, and does not say that the job is fine', ([, changes, what, detail]) => {
    const decision = decideRepair(state, repairs(stuck, changes), at(191));
    const after = follows(state, decision, 'JobRepaired');
    expect(after.pending['default']).toMatchObject({
      failures: 0,
      developments: [{ what, jobId: '4711', kind: 'stuck', at: at(190), detail }],
    });
    expect(after.suspicions).toEqual(state.suspicions);
    const [event] = decision.events;
    expect(event && effectsOf(state, event, after)).toMatchObject([{ type: 'JoinDigest', purpose: 'window' }]);
  });

  test('is recorded once, however often it is delivered', () => {
    const signal = repairs(stuck);
    const after = follows(state, decideRepair(state, signal, at(191)), 'JobRepaired');
    refused(decideRepair(after, signal, at(192)), /already recorded/);
    follows(after, decideRepair(after, repairs(stuck), at(193)), 'JobRepaired');
  });

  test('after the resolution is refused', () => {
    const after = follows(state, decideRetraction(state, ends(stuck), at(203)), 'FailureRetracted', 'AlertResolved');
    refused(decideRepair(after, repairs(stuck), at(204)), /already resolved/);
  });

  test('repeated without end is remembered, and told, up to a bound: the newest', () => {
    let current: AlertState = state;
    const all = Array.from({ length: developmentsMax + 5 }, (_, index) => repairs(stuck, { restart: index + 1 }));
    for (const signal of all) current = follows(current, decideRepair(current, signal, at(191)), 'JobRepaired');
    expect(current.repairs).toEqual(all.slice(5).map(({ repairId }) => repairId));
    expect(current.pending['default']?.developments.map(({ detail }) => detail)).toEqual(
      Array.from({ length: developmentsMax }, (_, index) => `restart ${index + 6}`),
    );
  });
});
