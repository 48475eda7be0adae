import type { Queryable } from '@tocsin/runtime';

/** What a job is enqueued with; what is left out is `apple/refresh_catalog/songs`, with three attempts. */
export interface JobFields {
  readonly source?: string;
  readonly jobType?: string;
  readonly targetId?: string | null;
  readonly maxAttempts?: number;
  readonly payload?: Readonly<Record<string, unknown>>;
}

/** The jobs' side of the story: changes rows as a scheduler and a worker do, by the database's clock. */
export interface Jobs {
  readonly enqueue: (fields?: JobFields) => Promise<string>;
  /** Marks it running and counts the attempt. */
  readonly claim: (id: string) => Promise<void>;
  /** Ends the attempt: back to pending with attempts left, failed for good without. */
  readonly fail: (id: string, error: string) => Promise<'pending' | 'failed'>;
  readonly succeed: (id: string) => Promise<void>;
  readonly cancel: (id: string) => Promise<void>;
  /** What a reaper does with a job whose worker is gone. */
  readonly bury: (id: string, error: string | null) => Promise<void>;
  /** A running job whose worker fell silent an hour ago. */
  readonly fallSilent: (fields?: JobFields) => Promise<string>;
  /** Jobs that have been due for two hours, in one transaction. */
  readonly pileUp: (count: number, fields?: JobFields) => Promise<readonly string[]>;
  /** A job that succeeded but for some of its parts. */
  readonly runPartly: (
    fields: JobFields,
    parts: { readonly failed: number; readonly total: number },
  ) => Promise<string>;
  /** A running job shows a sign of life. */
  readonly beat: (id: string) => Promise<void>;
  /** Sets it back, as somebody who retries it by hand. */
  readonly reset: (id: string) => Promise<void>;
  /** Enqueues a job and runs it until it has failed for good. */
  readonly failForGood: (fields?: JobFields, error?: string) => Promise<string>;
  /** Enqueues a job and runs it once, with success. */
  readonly runWell: (fields?: JobFields) => Promise<string>;
  /** Many failures in one transaction, one per entry; each at its first and only attempt. */
  readonly failMany: (jobs: readonly JobFields[], error?: (index: number) => string) => Promise<readonly string[]>;
  /** Many successes in one transaction. */
  readonly succeedMany: (jobs: readonly JobFields[]) => Promise<readonly string[]>;
}

const attemptsPerJobMax = 100;

/** A worker and a scheduler of `public.research_jobs`. */
export const createJobs = (queryable: Queryable): Jobs => {
  const enqueue = async (fields: JobFields = {}): Promise<string> => {
    const { source, jobType, targetId, maxAttempts, payload } = withDefaults(fields);
    const { rows } = await queryable.query<{ readonly id: string }>(
      `insert into public.research_jobs (source, job_type, target_id, max_attempts, payload)
       values ($1, $2, $3, $4, $5)
       returning id`,
      [source, jobType, targetId, maxAttempts, JSON.stringify(payload)],
    );
    return only(rows).id;
  };
  const claim = (id: string): Promise<void> =>
    change(
      id,
      'pending',
      `status = 'running', attempts = attempts + 1, started_at = now(), heartbeat_at = now(), finished_at = null`,
    );
  const fail = async (id: string, error: string): Promise<'pending' | 'failed'> => {
    const { rows } = await queryable.query<{ readonly status: 'pending' | 'failed' }>(
      `update public.research_jobs
       set
         status = case when attempts < max_attempts then 'pending' else 'failed' end,
         error = $2,
         finished_at = case when attempts < max_attempts then null else now() end,
         updated_at = now()
       where id = $1 and status = 'running'
       returning status`,
      [id, error],
    );
    return only(rows).status;
  };
  const change = async (
    id: string,
    from: string,
    assignments: string,
    ...values: readonly unknown[]
  ): Promise<void> => {
    const { rowCount } = await queryable.query(
      `update public.research_jobs set ${assignments}, updated_at = now() where id = $1 and status = $2`,
      [id, from, ...values],
    );
    if (rowCount !== 1) throw new Error(`Job ${id} is not ${from}.`);
  };
  const succeed = (id: string): Promise<void> =>
    change(id, 'running', `status = 'succeeded', error = null, heartbeat_at = now(), finished_at = now()`);

  const insertMany = async (
    jobs: readonly JobFields[],
    status: 'failed' | 'succeeded',
    error: (index: number) => string | null,
  ): Promise<readonly string[]> => {
    const full = jobs.map(withDefaults);
    const { rows } = await queryable.query<{ readonly id: string }>(
      `insert into public.research_jobs
         (source, job_type, target_id, payload, error, status, attempts, max_attempts, started_at, finished_at)
       select source, job_type, target_id, payload, error, $6, 1, 1, now(), now()
       from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::text[])
         as job (source, job_type, target_id, payload, error)
       returning id`,
      [
        full.map(({ source }) => source),
        full.map(({ jobType }) => jobType),
        full.map(({ targetId }) => targetId),
        full.map(({ payload }) => JSON.stringify(payload)),
        full.map((_, index) => error(index)),
        status,
      ],
    );
    return rows.map(({ id }) => id);
  };

  return {
    enqueue,
    claim,
    fail,
    succeed,
    cancel: (id) => change(id, 'pending', `status = 'canceled', finished_at = now()`),
    bury: (id, error) => change(id, 'running', `status = 'dead', error = $3, finished_at = now()`, error),
    reset: (id) => change(id, 'failed', `status = 'pending', attempts = 0, finished_at = null, error = null`),
    failForGood: async (fields, error = 'HTTP 503 from http://catalogue.example/songs') => {
      const id = await enqueue(fields);
      for (let attempt = 0; attempt < attemptsPerJobMax; attempt += 1) {
        await claim(id);
        if ((await fail(id, error)) === 'failed') return id;
      }
      throw new Error(`Job ${id} has more than ${attemptsPerJobMax} attempts.`);
    },
    runWell: async (fields) => {
      const id = await enqueue(fields);
      await claim(id);
      await succeed(id);
      return id;
    },
    failMany: (jobs, error = (index) => `HTTP 503 from http://catalogue.example/${index}`) =>
      insertMany(jobs, 'failed', error),
    succeedMany: (jobs) => insertMany(jobs, 'succeeded', () => null),
    fallSilent: async (fields) => {
      const { source, jobType, targetId, maxAttempts, payload } = withDefaults(fields ?? {});
      // At once, because a heartbeat that is seen to go back tells of a wrong clock.
      const { rows } = await queryable.query<{ readonly id: string }>(
        `insert into public.research_jobs
           (source, job_type, target_id, max_attempts, payload, status, attempts, created_at, started_at, heartbeat_at, updated_at)
         values ($1, $2, $3, $4, $5, 'running', 1, now() - interval '3 hours', now() - interval '2 hours',
           now() - interval '1 hour', now() - interval '1 hour')
         returning id`,
        [source, jobType, targetId, maxAttempts, JSON.stringify(payload)],
      );
      return only(rows).id;
    },
    pileUp: async (count, fields) => {
      const { source, jobType, targetId, maxAttempts, payload } = withDefaults(fields ?? {});
      const { rows } = await queryable.query<{ readonly id: string }>(
        `insert into public.research_jobs
           (source, job_type, target_id, max_attempts, payload, run_after, created_at, updated_at)
         select $1, $2, coalesce($3, '') || '-' || number, $4, $5,
           now() - interval '2 hours', now() - interval '2 hours', now() - interval '2 hours'
         from generate_series(1, $6) as number
         returning id`,
        [source, jobType, targetId, maxAttempts, JSON.stringify(payload), count],
      );
      return rows.map(({ id }) => id);
    },
    runPartly: async (fields, parts) => {
      const id = await enqueue(fields);
      await claim(id);
      await change(
        id,
        'running',
        `status = 'succeeded', error = null, result = $3, heartbeat_at = now(), finished_at = now()`,
        JSON.stringify(parts),
      );
      return id;
    },
    beat: async (id) => {
      await queryable.query(
        `update public.research_jobs set heartbeat_at = now(), updated_at = now() where id = $1 and status = 'running'`,
        [id],
      );
    },
  };
};

const withDefaults = (fields: JobFields): Required<JobFields> => ({
  source: 'apple',
  jobType: 'refresh_catalog',
  targetId: 'songs',
  maxAttempts: 3,
  payload: {},
  ...fields,
});

const only = <Row>(rows: readonly Row[]): Row => {
  const [row] = rows;
  if (row === undefined || rows.length > 1) throw new Error(`Expected one row, got ${rows.length}.`);
  return row;
};
