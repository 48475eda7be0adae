import type { DigestId, DigestState } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { digestStates } from './fold.ts';
import type { Model, ModelRow } from './fold.ts';

// Index digests_open_by_route; there are hardly more than routes times purposes.
const text = `
select id, model_version, data
from tocsin.digests
where state = 'open'
order by route, purpose, due_at, id`;

/** All open digests, by route, purpose and time. */
export const loadOpenDigests = async (tx: Queryable, model: Model): Promise<readonly DigestState[]> => {
  const { rows } = await tx.query<ModelRow<DigestId, DigestState>>(text);
  return digestStates(tx, model, rows);
};
