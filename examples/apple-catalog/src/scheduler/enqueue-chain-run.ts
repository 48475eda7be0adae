import type { ClientBase, Pool } from 'pg';
import { catalogTargets } from '../catalog-targets.ts';

const attemptsPerJobMax = 3;

/** One chain run, as just enqueued. */
export interface ChainRun {
  /** The run's name: ISO-8601 UTC with milliseconds, by the database clock. */
  readonly chainStartedAt: string;
  readonly jobIds: readonly string[];
}

/**
 * Enqueues one chain run: a `refresh_catalog` job for every target. The `rebuild_index` job of the run is enqueued by
 * the worker once all three have succeeded, so in a failing run it never exists.
 */
export async function enqueueChainRun(db: ClientBase | Pool): Promise<ChainRun> {
  const result = await db.query<{ id: string; chain_started_at: string }>(
    `insert into public.research_jobs (source, job_type, target_id, status, max_attempts, payload)
     select
       'apple',
       'refresh_catalog',
       target,
       'pending',
       $2::integer,
       jsonb_build_object('chain_started_at', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
     from unnest($1::text[]) as target
     returning id, payload ->> 'chain_started_at' as chain_started_at`,
    [catalogTargets, attemptsPerJobMax],
  );
  const first = result.rows[0];
  if (first === undefined) throw new Error('no job was enqueued');
  return { chainStartedAt: first.chain_started_at, jobIds: result.rows.map((row) => row.id) };
}
