import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { instantText } from '../instant.ts';

/** How far somebody has read something that changes. */
export interface Cursor {
  readonly changedAt: Instant;
  readonly data: Readonly<Record<string, unknown>>;
}

const text = `
select ${instantText('changed_at')} as "changedAt", data
from tocsin.cursors
where name = $1`;

/** The cursor of this name; null before it was first saved. */
export const loadCursor = async (tx: Queryable, name: string): Promise<Cursor | null> =>
  (await tx.query<Cursor>(text, [name])).rows[0] ?? null;
