import type { AlertId, Instant, NextAction } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { instantText } from '../instant.ts';

/** An alert whose clock ran out without anything happening. */
export interface OverdueAlert {
  readonly id: AlertId;
  readonly action: NextAction['action'];
  readonly at: Instant;
}

/**
 * Most alerts with news in overdue digests, the longest overdue first, whose digests are looked at. A channel that is down
 * makes thousands of them, all on their way; the sweep looks after digests and deliveries themselves.
 */
export const digestsLookedAtMax = 2_000;

/**
 * SQL that gives id, next_action and next_action_at of alerts whose next action was due that long ago (milliseconds, an
 * expression) and is on its way nowhere; each part at most `limit` rows. Indexes alerts_due; alerts_due_digest, and for the
 * digests on their way digests_open_due, deliveries_waiting and deliveries_unsettled. News in a digest is on its way while
 * the digest or one of its deliveries has a time that is not overdue itself, or a result that is being settled.
 */
export const alertsOnNoWay = (graceMs: string, limit: string): string => `
  (
    select id, next_action, next_action_at
    from tocsin.alerts
    where next_action_at is not null
      and next_action <> 'digest'
      and next_action_at <= statement_timestamp() - ${graceMs} * interval '1 millisecond'
    order by next_action_at, id
    limit ${limit}
  )
  union all
  (
    select looked.id, 'digest', looked.next_action_at
    from (
      select id, next_action_at, data
      from tocsin.alerts
      where next_action_at is not null
        and next_action = 'digest'
        and next_action_at <= statement_timestamp() - ${graceMs} * interval '1 millisecond'
      order by next_action_at
      limit ${digestsLookedAtMax}
    ) as looked
    left join lateral jsonb_object_keys(looked.data -> 'batches') as batch (digest) on true
    left join (
      select id as digest
      from tocsin.digests
      where state = 'open' and due_at > statement_timestamp() - ${graceMs} * interval '1 millisecond'
      union
      select digest_id
      from tocsin.deliveries
      where next_attempt_at > statement_timestamp() - ${graceMs} * interval '1 millisecond'
      union
      select digest_id
      from tocsin.deliveries
      where state in ('accepted', 'rejected', 'replaced') and settled_at is null
    ) as moving on moving.digest = batch.digest::uuid
    group by looked.id, looked.next_action_at
    having count(moving.digest) = 0
    order by looked.next_action_at, looked.id
    limit ${limit}
  )`;

export const overdueAlertsText = `
select id, next_action as action, ${instantText('next_action_at')} as at
from (${alertsOnNoWay('$1::double precision', '$2')}
) as overdue
order by overdue.next_action_at, overdue.id
limit $2`;

/** Alerts whose next action was due so long ago or longer and is on its way nowhere, the longest overdue first. */
export const overdueAlerts = async (tx: Queryable, graceMs: number, limit: number): Promise<readonly OverdueAlert[]> =>
  (await tx.query<OverdueAlert>(overdueAlertsText, [graceMs, limit])).rows;
