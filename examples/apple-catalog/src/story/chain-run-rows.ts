import type { Pool } from 'pg';

/** One job of a chain run, as the story shows it. */
export interface RunRow {
  readonly id: string;
  /** `albums`, `songs`, `artists` or `rebuild_index`. */
  readonly step: string;
  readonly status: 'pending' | 'running' | 'succeeded' | 'failed' | 'dead' | 'canceled';
  readonly attempts: number;
  readonly max_attempts: number;
  readonly error: string | null;
  readonly result: Readonly<Record<string, number>> | null;
  /** Whether the worker has sent a heartbeat since it claimed the job. */
  readonly has_beaten: boolean;
}

/** The jobs of one chain run, `rebuild_index` last. */
export async function readRunRows(db: Pool, chainStartedAt: string): Promise<readonly RunRow[]> {
  const rows = await db.query<RunRow>(
    `select
       id,
       coalesce(target_id, job_type) as step,
       status,
       attempts,
       max_attempts,
       error,
       result,
       coalesce(heartbeat_at > started_at, false) as has_beaten
     from public.research_jobs
     where source = 'apple' and payload ->> 'chain_started_at' = $1
     order by job_type = 'rebuild_index', array_position(array['albums', 'songs', 'artists'], target_id)`,
    [chainStartedAt],
  );
  return rows.rows;
}
