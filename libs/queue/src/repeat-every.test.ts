import { describe, expect, it } from 'vitest';
import { repeatEvery } from './repeat-every.ts';

describe('repeatEvery', () => {
  it('goes on after errors and reports the first of each row of them', async () => {
    const outcomes = ['fails', 'fails', 'works', 'fails', 'works'];
    const errors: unknown[] = [];
    const finished = Promise.withResolvers<void>();
    const repetition = repeatEvery(
      0,
      async () => {
        const outcome = outcomes.shift();
        if (outcome === undefined) finished.resolve();
        if (outcome === 'fails') throw new Error(`${outcomes.length} left`);
      },
      (error) => errors.push(error),
    );
    await finished.promise;
    await repetition.stop();
    expect(errors.map(String)).toEqual(['Error: 4 left', 'Error: 1 left']);
  });

  it('waits for the run under way when it is stopped, and begins no other', async () => {
    const proceed = Promise.withResolvers<void>();
    let runs = 0;
    let ended = 0;
    const repetition = repeatEvery(
      0,
      async () => {
        runs += 1;
        await proceed.promise;
        ended += 1;
      },
      () => {},
    );
    const stopped = repetition.stop();
    proceed.resolve();
    await stopped;
    expect({ runs, ended }).toEqual({ runs: 1, ended: 1 });
  });
});
