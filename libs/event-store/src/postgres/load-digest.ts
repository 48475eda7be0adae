import type { DigestId, DigestState } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { digestStates } from './fold.ts';
import type { Model, ModelRow } from './fold.ts';

const text = `
select id, model_version, data
from tocsin.digests
where id = $1::uuid`;

/** One digest; null when there is none with this id. */
export const loadDigest = async (tx: Queryable, model: Model, id: DigestId): Promise<DigestState | null> => {
  const { rows } = await tx.query<ModelRow<DigestId, DigestState>>(text, [id]);
  return (await digestStates(tx, model, rows))[0] ?? null;
};
