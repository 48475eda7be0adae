import { expect, test } from 'vitest';
import { oneAtATime } from './one-at-a-time.ts';

test('lets one call at a time through, in order, and goes on after a failure', async () => {
  const through = oneAtATime();
  const log: string[] = [];
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const first = through(async () => {
    log.push('first begins');
    await gates[0]?.promise;
    throw new Error('first fails');
  });
  const second = through(async () => {
    log.push('second begins');
    await gates[1]?.promise;
    return 'second';
  });
  await Promise.resolve();
  expect(log).toEqual(['first begins']);
  gates[0]?.resolve();
  await expect(first).rejects.toThrow('first fails');
  gates[1]?.resolve();
  expect(await second).toBe('second');
  expect(log).toEqual(['first begins', 'second begins']);
});
