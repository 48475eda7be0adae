import type { Db } from 'pg-boss';
import { z } from 'zod';
import { QUEUE_SCHEMA, QUEUE_SETTINGS } from './queue-settings.ts';
import type { QueueDepths } from './queue.ts';

const rowSchema = z.object({
  name: z.string(),
  ready: z.coerce.number(),
  deferred: z.coerce.number(),
  active: z.coerce.number(),
  failed: z.coerce.number(),
  oldest_ready_seconds: z.coerce.number().nullable(),
});

/** Counts the jobs of every queue by what they wait for, at the database's clock. Scans the job table once. */
export async function selectDepths(db: Db): Promise<QueueDepths> {
  const names = QUEUE_SETTINGS.map((queue) => queue.name);
  const { rows } = await db.executeSql(
    `
    select
      name,
      count(*) filter (where state < 'active' and start_after <= moment) as ready,
      count(*) filter (where state < 'active' and start_after > moment) as deferred,
      count(*) filter (where state = 'active') as active,
      count(*) filter (where state = 'failed') as failed,
      extract(epoch from moment - min(start_after) filter (where state < 'active' and start_after <= moment))
        as oldest_ready_seconds
    from ${QUEUE_SCHEMA}.job, (select ${QUEUE_SCHEMA}.job_now() as moment) as clock
    where name = any($1::text[])
    group by name, moment`,
    [names],
  );
  const found = new Map(
    rowSchema
      .array()
      .parse(rows)
      .map((row) => [row.name, row]),
  );
  return Object.fromEntries(
    names.map((name) => {
      const row = found.get(name);
      return [
        name,
        {
          ready: row?.ready ?? 0,
          deferred: row?.deferred ?? 0,
          active: row?.active ?? 0,
          failed: row?.failed ?? 0,
          oldestReadySeconds: row?.oldest_ready_seconds ?? null,
        },
      ];
    }),
  ) as unknown as QueueDepths;
}
