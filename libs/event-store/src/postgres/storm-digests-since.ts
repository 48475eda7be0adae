import type { DigestId, DigestState, Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { digestStates } from './fold.ts';
import type { Model, ModelRow } from './fold.ts';

// Index digests_of_storms; a route seals one in a few minutes at most, so those of the asked time are few. An empty digest
// told nobody anything.
export const stormDigestsSinceText = `
select distinct on (route) id, model_version, data
from tocsin.digests
where purpose = 'storm' and sealed_at is not null and sealed_at >= $1::timestamptz and state <> 'empty'
order by route, sealed_at desc, id`;

/** The newest storm digest of each route that was sealed at or after that time, in the order of routes. */
export const stormDigestsSince = async (
  tx: Queryable,
  model: Model,
  since: Instant,
): Promise<readonly DigestState[]> => {
  const { rows } = await tx.query<ModelRow<DigestId, DigestState>>(stormDigestsSinceText, [since]);
  return digestStates(tx, model, rows);
};
