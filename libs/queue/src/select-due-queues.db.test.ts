import { createTestDatabase } from '@tocsin/testing';
import { expect, it } from 'vitest';
import { QUEUE_NAMES } from './queue.ts';
import { DUE_QUEUES_SQL } from './select-due-queues.ts';

const { pool } = await createTestDatabase();

it('looks for due jobs in the index alone, past any number of done and deferred ones', async () => {
  await pool.query(
    `insert into pgboss.job (name, state, completed_on, policy)
     select 'deliveries', 'completed', now(), 'standard' from generate_series(1, 20000)`,
  );
  await pool.query(
    `insert into pgboss.job (name, start_after, policy)
     select 'timers', now() + interval '1 day', 'standard' from generate_series(1, 20000)`,
  );
  await pool.query('vacuum analyze pgboss.job_common');
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain ${DUE_QUEUES_SQL}`, [[...QUEUE_NAMES]]);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toContain('using job_common_i11');
  expect(plan).not.toContain('Seq Scan');
});
