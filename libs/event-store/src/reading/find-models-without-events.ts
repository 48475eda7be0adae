import type { Queryable } from '@tocsin/runtime';

// One statement, hence one snapshot: a row and its first event are written in one transaction.
const text = `
select 'alert' as kind, id
from tocsin.alerts
where not exists (select from tocsin.events where stream_id = 'alert-' || alerts.id and version = 1)
union all
select 'digest' as kind, id
from tocsin.digests
where not exists (select from tocsin.events where stream_id = 'digest-' || digests.id and version = 1)
limit $1`;

/** Read models that no event accounts for, at most `limit`. */
export const findModelsWithoutEvents = async (
  queryable: Queryable,
  limit: number,
): Promise<readonly { readonly kind: 'alert' | 'digest'; readonly id: string }[]> =>
  (await queryable.query<{ readonly kind: 'alert' | 'digest'; readonly id: string }>(text, [limit])).rows;
