import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { at, begins, ends, failure, repairs, success } from '../fixtures/builders.ts';
import { orderSignals } from './order-signals.ts';
import type { Signal } from './signal.ts';

describe('orderSignals', () => {
  test('goes by the time each signal tells of', () => {
    const list = [failure({ failedAt: at(3) }), success({ finishedAt: at(1) }), failure({ failedAt: at(2) })];
    expect(orderSignals(list)).toEqual([list[1], list[2], list[0]]);
  });

  test('puts the beginning of a condition first, then its repair, then its end, whatever their clocks say', () => {
    const beginning = begins({ failedAt: at(50) });
    const repair = repairs(beginning, { actedAt: at(20) });
    const end = ends(beginning, { endedAt: at(10) });
    const other = success({ finishedAt: at(30) });
    expect(orderSignals([end, repair, beginning, other])).toEqual([other, beginning, repair, end]);
  });

  test('is the same in whatever order the signals come, and loses none', () => {
    const one = fc
      .record({ began: fc.nat(9), acted: fc.nat(9), ended: fc.nat(9), succeeded: fc.nat(9) })
      .map(({ began, acted, ended, succeeded }): readonly Signal[] => {
        const beginning = begins({ failedAt: at(began) });
        return [
          beginning,
          repairs(beginning, { actedAt: at(acted) }),
          ends(beginning, { endedAt: at(ended) }),
          success({ finishedAt: at(succeeded) }),
        ];
      });
    const cases = fc
      .array(one, { minLength: 1, maxLength: 4 })
      .map((lists) => lists.flat())
      .chain((all) =>
        fc.record({ all: fc.constant(all), mixed: fc.shuffledSubarray([...all], { minLength: all.length }) }),
      );
    fc.assert(
      fc.property(cases, ({ all, mixed }) => {
        const ordered = orderSignals(mixed);
        expect(new Set(ordered)).toEqual(new Set(all));
        for (const signal of all) {
          if (signal.signal !== 'ConditionEnded') continue;
          const places = (['FailureDetected', 'JobRepaired', 'ConditionEnded'] as const).map((name) =>
            ordered.findIndex((entry) => entry.signal === name && entry.outcomeId === signal.outcomeId),
          );
          expect(places.toSorted((a, b) => a - b)).toEqual(places);
        }
      }),
    );
  });
});
