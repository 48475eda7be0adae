import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { HeldFailure } from '../store.ts';
import { failure, longAgo } from './builders.ts';
import type { ContractStore } from './store-contract.ts';

const held = (key: string, failedAt: string = longAgo): HeldFailure => ({
  key,
  rule: 'rules[0]',
  signal: failure({ failedAt }),
});

export const heldContract = (store: ContractStore): void => {
  const hold = (...failures: readonly HeldFailure[]) =>
    store.transaction('hold', (session) => session.holdFailures(failures));
  const release = (...failures: readonly HeldFailure[]) =>
    store.transaction('release', (session) => session.releaseHeld(failures.map(({ signal }) => signal.outcomeId)));
  const heldOf = (...keys: readonly string[]) => store.read((session) => session.heldFailures(keys));

  describe('held failures', () => {
    it('gives those of the keys asked for, the oldest failure first, each once', async () => {
      const [key, other] = [randomUUID(), randomUUID()];
      const [late, early] = [held(key, '2026-01-05T05:00:00.000002Z'), held(key, '2026-01-05T05:00:00.000001Z')];
      const between = held(other, '2026-01-05T05:00:00.0000015Z');
      await hold(late, early);
      await hold(between, { ...early, rule: 'rules[1]' }, held(randomUUID()));
      expect(await heldOf(key, key)).toEqual([early, late]);
      expect(new Set(await heldOf(key, other))).toEqual(new Set([early, between, late]));
      expect(await heldOf()).toEqual([]);
    });

    it('gives the newest 1,000 of a key', async () => {
      const key = randomUUID();
      const second = (at: number) => new Date(Date.UTC(2026, 0, 5, 3, 0, at)).toISOString();
      const failures = Array.from({ length: 1_002 }, (_, at) => held(key, second(at)));
      await hold(...failures);
      expect((await heldOf(key)).map(({ signal }) => signal.failedAt)).toEqual(
        failures.slice(2).map(({ signal }) => signal.failedAt),
      );
    });

    it('forgets what is released, which may be held again', async () => {
      const key = randomUUID();
      const [one, two] = [held(key), held(key, '2026-01-06T00:00:00Z')];
      await hold(one, two);
      await release(one, held(key));
      expect(await heldOf(key)).toEqual([two]);
      await hold(one);
      expect(await heldOf(key)).toEqual([one, two]);
      await store.transaction('nothing', (session) => session.releaseHeld([]));
    });

    it('says which are held since too long, up to a limit', async () => {
      const failures = [held(randomUUID()), held(randomUUID())];
      await hold(...failures);
      // A moment in the future: everything held until now is older.
      const stale = await store.read((session) => session.staleHeld(-60_000, 10_000));
      expect(stale).toEqual(expect.arrayContaining(failures));
      expect(await store.read((session) => session.staleHeld(-60_000, 1))).toHaveLength(1);
      expect(await store.read((session) => session.staleHeld(60_000, 10_000))).toEqual([]);
    });
  });
};
