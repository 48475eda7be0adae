import type { StatementParts } from './source-statements.ts';
import { requireField } from './statement-parts.ts';

/** The checkpoint of the job $1 as text, unless it is longer than $2 bytes. Null when the table has none. */
export const checkpointStatement = (parts: StatementParts): string | null => {
  const { checkpoint, id } = parts.fields;
  if (checkpoint === null) return null;
  return `
    select case when octet_length(kept.checkpoint) <= $2 then kept.checkpoint end as checkpoint
    from (
      select ${checkpoint.reference}::text as checkpoint
      from ${parts.from} as job
      where ${parts.ref('id')} = $1::text::${requireField(id).type}
      limit 1
    ) as kept`;
};
