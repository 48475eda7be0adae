import type { Queryable } from '@tocsin/runtime';
import type { Silence } from '../store.ts';
import { silenceColumns } from './silence-columns.ts';

// The primary key.
const text = `
select ${silenceColumns}
from tocsin.silences
where id = any($1::uuid[])
order by silences.id`;

/** These silences, ended ones included, in the order of ids; unknown ids are left out. */
export const loadSilences = async (tx: Queryable, ids: readonly string[]): Promise<readonly Silence[]> =>
  ids.length === 0 ? [] : (await tx.query<Silence>(text, [ids])).rows;
