import type { AlertId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { chunks } from '../chunks.ts';

// The primary key. The alert that has a repair keeps it.
export const recordRepairsText = `
update tocsin.repairs
set alert_id = recorded.alert_id
from unnest($1::uuid[], $2::uuid[]) as recorded (id, alert_id)
where repairs.id = recorded.id and repairs.alert_id is null`;

/** Notes which alert has a repair, so that it is told once. The caller holds the lock of the log. Unknown ids are left out. */
export const recordRepairs = async (
  tx: Queryable,
  repairs: readonly { readonly id: string; readonly alertId: AlertId }[],
): Promise<void> => {
  for (const rows of chunks(repairs))
    await tx.query(recordRepairsText, [rows.map(({ id }) => id), rows.map(({ alertId }) => alertId)]);
};
