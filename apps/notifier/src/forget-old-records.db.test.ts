import { createLogger } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { expect, test } from 'vitest';
import { forgetOldRecords } from './forget-old-records.ts';
import { failure, openWorld, route } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const day = 86_400_000;

test('records past their retention are deleted, younger ones and the log itself are kept', async () => {
  const world = await openWorld(database, { routes: [route({ windowMs: 0, fallback: ['outbox'] })] });
  world.answers.push(() => ({ outcome: 'rejected', reason: 'bad-request', status: 400, detail: 'no' }));
  const [old, young] = [failure({ targetId: 'old' }), failure({ targetId: 'young' })];
  await world.signal(old);
  await world.run();
  await database.pool.query(`update tocsin.outcomes set recorded_at = now() - interval '31 days'`);
  await database.pool.query(`update tocsin.deliveries set settled_at = now() - interval '31 days'`);
  await world.signal(young);
  await world.run();
  const before = await counts();
  expect(before).toMatchObject({ outcomes: 2, deliveries: 3, attempts: 3 });

  const config = { retention: { outcomesMs: 30 * day, deliveriesMs: 30 * day }, jobs: [job(day)] };
  // A delivery that was replaced goes after its replacement, so it takes two runs.
  for (const _ of [1, 2])
    await forgetOldRecords(database.pool, config, createLogger({ level: 'silent', name: 'test' }));
  expect(await counts()).toEqual({ outcomes: 1, deliveries: 1, attempts: 1, events: before.events });
  await world.close();
});

test('an outcome is kept for twice the look-back, whatever the retention says', async () => {
  const config = { retention: { outcomesMs: day, deliveriesMs: day }, jobs: [job(16 * day)] };
  await database.pool.query(`update tocsin.outcomes set recorded_at = now() - interval '31 days'`);
  await forgetOldRecords(database.pool, config, createLogger({ level: 'silent', name: 'test' }));
  expect((await counts()).outcomes).toBe(1);
  await database.pool.query(`update tocsin.outcomes set recorded_at = now() - interval '33 days'`);
  await forgetOldRecords(database.pool, config, createLogger({ level: 'silent', name: 'test' }));
  expect((await counts()).outcomes).toBe(0);
});

const job = (lookBackMs: number) => ({
  name: 'research_jobs',
  table: 'public.research_jobs',
  adapter: 'research_jobs',
  pollMs: 1,
  reconcileMs: 1,
  lookBackMs,
  batch: 1,
  columns: {},
  details: {},
});

const counts = async (): Promise<Record<'outcomes' | 'deliveries' | 'attempts' | 'events', number>> => {
  const { rows } = await database.pool.query<Record<'outcomes' | 'deliveries' | 'attempts' | 'events', number>>(
    `select (select count(*)::int from tocsin.outcomes) as outcomes, (select count(*)::int from tocsin.deliveries) as deliveries,
       (select count(*)::int from tocsin.delivery_attempts) as attempts, (select count(*)::int from tocsin.events) as events`,
  );
  return rows[0]!;
};
