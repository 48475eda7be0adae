import type { Queryable } from '@tocsin/runtime';

const text = `
update tocsin.canary_jobs
set status = 'succeeded', finished_at = clock_timestamp(), updated_at = clock_timestamp()
where status = 'failed' and id = any($1::uuid[])
returning tocsin.hint()`;

/** Canaries that have arrived are fine again, so that their alert ends. */
export const endCanaries = async (tx: Queryable, ids: readonly string[]): Promise<void> => {
  if (ids.length > 0) await tx.query(text, [ids]);
};
