import type { Queryable } from '@tocsin/runtime';
import { idValues } from './id-values.ts';
import type { JobSource } from './job-source.ts';
import { requireField } from './statement-parts.ts';

/** Longest checkpoint that is read, in bytes; nothing can be said of a longer one. */
export const checkpointBytesMax = 1_000_000;

/**
 * What a restart of the job would go on from, as parsed JSON (text that is no JSON as it is); undefined when the table has
 * no such field, the row is gone or has none, or it is longer than `checkpointBytesMax`.
 */
export const readCheckpoint = async (
  queryable: Queryable,
  { statements, resolved }: JobSource,
  id: string,
): Promise<unknown> => {
  if (statements.checkpoint === null || idValues([id], requireField(resolved.id)).length === 0) return undefined;
  const { rows } = await queryable.query<{ readonly checkpoint: string | null }>(statements.checkpoint, [
    id,
    checkpointBytesMax,
  ]);
  const text = rows[0]?.checkpoint ?? null;
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};
