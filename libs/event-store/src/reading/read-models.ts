import type { AlertId, AlertState, DigestId, DigestState } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

/** A read model as it is stored, to be compared with what its stream folds to. Nothing about it is checked. */
export type StoredModel =
  | { readonly kind: 'alert'; readonly id: AlertId; readonly modelVersion: number; readonly data: AlertState }
  | { readonly kind: 'digest'; readonly id: DigestId; readonly modelVersion: number; readonly data: DigestState };

/** Where a page of read models ended. Alerts come before digests. */
export type ModelCursor = Pick<StoredModel, 'kind' | 'id'>;

export interface ModelPage {
  readonly models: readonly StoredModel[];
  /** Pass it as `after` to go on; null when this was the last page. */
  readonly next: ModelCursor | null;
}

/** Most read models in one page. */
export const modelsPerPageMax = 5_000;

const beforeAllIds = '00000000-0000-0000-0000-000000000000';

const alertsText = `
select 'alert' as kind, id, model_version as "modelVersion", data
from tocsin.alerts
where id > $1::uuid
order by id
limit $2`;

const digestsText = `
select 'digest' as kind, id, model_version as "modelVersion", data
from tocsin.digests
where id > $1::uuid
order by id
limit $2`;

/** One page of all read models: alerts in id order, then digests in id order. */
export const readModels = async (
  queryable: Queryable,
  options: { readonly after: ModelCursor | null; readonly limit: number },
): Promise<ModelPage> => {
  const limit = Math.min(options.limit, modelsPerPageMax);
  const { after } = options;
  const alerts =
    after?.kind === 'digest'
      ? []
      : (await queryable.query<StoredModel>(alertsText, [after?.id ?? beforeAllIds, limit])).rows;
  const digestsAfter = after?.kind === 'digest' ? after.id : beforeAllIds;
  const digests =
    alerts.length < limit
      ? (await queryable.query<StoredModel>(digestsText, [digestsAfter, limit - alerts.length])).rows
      : [];
  const models = [...alerts, ...digests];
  const last = models.at(-1);
  return { models, next: last === undefined || models.length < limit ? null : { kind: last.kind, id: last.id } };
};
