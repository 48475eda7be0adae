import type { DigestId, DigestState } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { digestStates } from './fold.ts';
import type { Model, ModelRow } from './fold.ts';

// Index digests_open_route; there are at most as many as routes times purposes.
const text = `
select id, model_version, data
from tocsin.digests
where state = 'open'
order by route, purpose`;

/** All open digests, at most one for each route and purpose, in that order. */
export const loadOpenDigests = async (tx: Queryable, model: Model): Promise<readonly DigestState[]> => {
  const { rows } = await tx.query<ModelRow<DigestId, DigestState>>(text);
  return digestStates(tx, model, rows);
};
