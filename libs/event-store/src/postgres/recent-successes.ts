import { SuccessSignal } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';
import type { KeyedSuccess } from './remember-successes.ts';

// Index recent_successes_by_key.
const text = `
select key, signal
from tocsin.recent_successes
where key = any($1::text[])
order by key, finished_at, id`;

/** What {@link rememberSuccesses} keeps for these keys, by key, oldest success first. Throws ZodError on a damaged row. */
export const recentSuccesses = async (tx: Queryable, keys: readonly string[]): Promise<readonly KeyedSuccess[]> => {
  if (keys.length === 0) return [];
  const { rows } = await tx.query<{ readonly key: string; readonly signal: unknown }>(text, [keys.map(cleanText)]);
  return rows.map(({ key, signal }) => ({ key, signal: SuccessSignal.parse(signal) }));
};
