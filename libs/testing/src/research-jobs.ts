import type { Queryable } from '@tocsin/runtime';

/** A row of public.research_jobs as tests write it; what is left out gets the table's default. Instants are ISO-8601. */
export type ResearchJobFields = {
  readonly id: string;
  readonly source: string;
  readonly job_type: string;
  readonly target_id: string | null;
  readonly status: 'pending' | 'running' | 'succeeded' | 'failed' | 'dead' | 'canceled';
  readonly attempts: number;
  readonly max_attempts: number;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly error: string | null;
  readonly run_after: string;
  readonly started_at: string | null;
  readonly heartbeat_at: string | null;
  readonly finished_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
};

/** Inserts one job, of source `apple` and type `refresh_catalog` if not told otherwise, and returns its id. */
export async function insertResearchJob(
  queryable: Queryable,
  fields: Partial<ResearchJobFields> = {},
): Promise<string> {
  const [id] = await insertResearchJobs(queryable, [fields]);
  if (id === undefined) throw new Error('The insert into public.research_jobs returned no row.');
  return id;
}

/** Inserts many jobs and returns their ids in order. */
export async function insertResearchJobs(
  queryable: Queryable,
  jobs: readonly Partial<ResearchJobFields>[],
): Promise<string[]> {
  const ids: string[] = [];
  for (const fields of jobs) {
    const row = { source: 'apple', job_type: 'refresh_catalog', ...fields };
    const columns = Object.keys(row);
    const { rows } = await queryable.query<{ readonly id: string }>(
      `insert into public.research_jobs (${columns.join(', ')})
       values (${columns.map((_, index) => `$${index + 1}`).join(', ')})
       returning id`,
      Object.values(row),
    );
    ids.push(...rows.map((inserted) => inserted.id));
  }
  return ids;
}

/** Changes a job as its worker would; `updated_at` becomes the database's time unless given. */
export async function updateResearchJob(
  queryable: Queryable,
  id: string,
  fields: Partial<ResearchJobFields>,
): Promise<void> {
  const columns = Object.keys(fields);
  const touched = 'updated_at' in fields ? [] : ['updated_at = clock_timestamp()'];
  const assignments = [...columns.map((column, index) => `${column} = $${index + 2}`), ...touched];
  const { rowCount } = await queryable.query(
    `update public.research_jobs set ${assignments.join(', ')} where id = $1`,
    [id, ...Object.values(fields)],
  );
  if (rowCount !== 1) throw new Error(`There is no research job ${id}.`);
}

/** Inserts a job that has failed for good just now, by the database's clock, and returns its id. */
export async function insertFailedResearchJob(
  queryable: Queryable,
  fields: Partial<ResearchJobFields> = {},
): Promise<string> {
  const id = await insertResearchJob(queryable, { status: 'running', attempts: 3, max_attempts: 3, ...fields });
  await queryable.query(
    `update public.research_jobs
     set status = $2, error = coalesce(error, 'connection refused'),
       finished_at = coalesce(finished_at, clock_timestamp()), updated_at = coalesce($3, clock_timestamp())
     where id = $1`,
    [id, fields.status ?? 'failed', fields.updated_at ?? null],
  );
  return id;
}
