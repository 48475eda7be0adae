import type { AlertId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// Index alerts_with_news_to_tell, hence the conditions in its own words. What a silence mutes waits for its end, and what an
// alert does while it is flapping waits until it has settled; its opening, its end of flapping, an acknowledgement's lapse and
// the end of a silence do not wait. A resolution waits for nothing.
export const alertsWithStrayNewsText = `
select id
from tocsin.alerts
where state <> 'acknowledged' and (data -> 'pending') <> '{}'::jsonb
  and (
    state = 'resolved'
    or (
      not silenced
      and (
        coalesce(data -> 'flapping', 'null'::jsonb) = 'null'::jsonb
        or data @? '$.pending.* ? (@.opened == true || @.settled == true || @.lapse != null || @.unsilenced != null)'
      )
    )
  )
order by id
limit $1`;

/** Alerts, neither acknowledged nor silenced nor quietly flapping, whose news sits in no digest, in id order. */
export const alertsWithStrayNews = async (tx: Queryable, limit: number): Promise<readonly AlertId[]> =>
  (await tx.query<{ readonly id: AlertId }>(alertsWithStrayNewsText, [limit])).rows.map((row) => row.id);
