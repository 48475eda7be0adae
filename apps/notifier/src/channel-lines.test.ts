import { DeliveryId } from '@tocsin/alert-model';
import { expect, test } from 'vitest';
import { attemptsPerChannelMax, channelLines } from './channel-lines.ts';

const never = new AbortController().signal;
const id = (n: number): DeliveryId => DeliveryId.parse(`00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);

/** Lines whose work ends when the test says so. */
const slowLines = () => {
  const begun: DeliveryId[] = [];
  const ends = new Map<DeliveryId, { readonly resolve: () => void; readonly reject: (error: Error) => void }>();
  const givenBack: DeliveryId[] = [];
  const lines = channelLines({
    work: (deliveryId) =>
      new Promise<void>((resolve, reject) => {
        begun.push(deliveryId);
        ends.set(deliveryId, { resolve, reject });
      }),
    giveBack: async (ids) => {
      givenBack.push(...ids);
    },
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    lines,
    begun,
    givenBack,
    end: (n: number) => ends.get(id(n))?.resolve(),
    fail: (n: number) => ends.get(id(n))?.reject(new Error('no database')),
    turn,
  };
};

test('a slow channel holds so many places and no more, and another channel is not delayed', async () => {
  const { lines, begun, end, turn } = slowLines();
  const slow = [1, 2].map((n) => lines.run('slow', id(n), never));
  // Stands in line, and its job is done with it.
  await lines.run('slow', id(3), never);
  const other = lines.run('quick', id(4), never);
  expect(begun).toEqual([id(1), id(2), id(4)]);
  expect(attemptsPerChannelMax).toBe(2);
  end(4);
  await other;
  end(1);
  await turn();
  expect(begun).toEqual([id(1), id(2), id(4), id(3)]);
  end(2);
  end(3);
  await Promise.all(slow);
});

test('a delivery that stands in line is worked off once, however often it is put there', async () => {
  const { lines, begun, end, turn } = slowLines();
  const first = [1, 2].map((n) => lines.run('slow', id(n), never));
  for (let n = 0; n < 5; n += 1) await lines.run('slow', id(3), never);
  end(1);
  end(2);
  await turn();
  end(3);
  await Promise.all(first);
  expect(begun).toEqual([id(1), id(2), id(3)]);
});

test('what stands in line is given to other jobs when the last one at work fails', async () => {
  const { lines, givenBack, end, fail, turn } = slowLines();
  const first = lines.run('slow', id(1), never);
  const second = lines.run('slow', id(2), never);
  await lines.run('slow', id(3), never);
  await lines.run('slow', id(4), never);
  fail(1);
  await expect(first).rejects.toThrow('no database');
  expect(givenBack).toEqual([]);
  end(2);
  await turn();
  fail(3);
  await expect(second).rejects.toThrow('no database');
  expect(givenBack).toEqual([id(4)]);
});

test('a job ends after a while, and what is left gets jobs of its own', async () => {
  const { lines, begun, givenBack, end, turn } = slowLines();
  const jobs = [1, 2].map((n) => lines.run('slow', id(n), never));
  for (let n = 3; n <= 30; n += 1) await lines.run('slow', id(n), never);
  for (let n = 1; n <= 30; n += 1) {
    end(n);
    await turn();
  }
  await Promise.all(jobs);
  expect(begun).toHaveLength(6);
  expect(givenBack).toEqual(Array.from({ length: 24 }, (_, n) => id(7 + n)));
});
