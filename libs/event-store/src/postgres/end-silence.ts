import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';

const text = `
update tocsin.silences
set
  ended_at = clock_timestamp(),
  end_cause = $2,
  ended_by = $3
where id = $1::uuid and ended_at is null`;

/** Ends a silence: from now on it mutes nothing. False, and nothing changes, when it had ended or there is none. */
export const endSilence = async (
  tx: Queryable,
  id: string,
  cause: 'expired' | 'ended',
  by: string | null,
): Promise<boolean> => (await tx.query(text, [id, cause, by === null ? null : cleanText(by)])).rowCount === 1;
