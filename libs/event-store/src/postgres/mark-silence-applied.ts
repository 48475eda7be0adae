import type { Queryable } from '@tocsin/runtime';

const text = `
update tocsin.silences
set applied_at = clock_timestamp()
where id = $1::uuid and applied_at is null`;

/** Notes that the alerts which were open at the start of a silence are muted. */
export const markSilenceApplied = async (tx: Queryable, id: string): Promise<void> => {
  await tx.query(text, [id]);
};
