import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';

const text = `
update tocsin.repairs
set
  state = $2,
  reason = $3,
  settled_at = clock_timestamp()
where id = $1 and state = 'intended'`;

/** Records how a repair ended; false, and nothing changes, when it had ended already or is unknown. */
export const settleRepair = async (
  tx: Queryable,
  id: string,
  state: 'done' | 'skipped',
  reason: string | null,
): Promise<boolean> => (await tx.query(text, [id, state, reason === null ? null : cleanText(reason)])).rowCount === 1;
