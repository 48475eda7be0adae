import type { Queryable } from '@tocsin/runtime';
import type { Silence } from '../store.ts';
import { silenceColumns } from './silence-columns.ts';

/** Most silences in one answer. */
export const silencesPerListMax = 1_000;

// A question that people ask, of a table they fill by hand.
const text = `
select ${silenceColumns}
from tocsin.silences
where $1 or ended_at is null
order by silences.created_at desc, silences.id desc
limit $2`;

/** Silences for people, the newest first, at most {@link silencesPerListMax}: those that hold or will, or all. */
export const listSilences = async (
  tx: Queryable,
  filter: { readonly ended: boolean; readonly limit: number },
): Promise<readonly Silence[]> =>
  (await tx.query<Silence>(text, [filter.ended, Math.min(filter.limit, silencesPerListMax)])).rows;
