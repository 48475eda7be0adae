import type { Instant } from '@tocsin/alert-model';
import { InvariantError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import { instantText } from '../instant.ts';

const text = `select ${instantText('clock_timestamp()')} as now`;

/** The database's clock with all six digits, which moves on inside a transaction. Events are stamped with it. */
export const databaseInstant = async (tx: Queryable): Promise<Instant> => {
  const now = (await tx.query<{ readonly now: Instant }>(text)).rows[0]?.now;
  if (now === undefined) throw new InvariantError('The database did not tell its time.');
  return now;
};
