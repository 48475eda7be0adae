import { InvariantError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import type { AuditCounts } from '../store.ts';
import { silencesToCarryOut } from './due-silences.ts';
import { alertsOnNoWay } from './overdue-alerts.ts';

/** Where each count stops: what is wrong is known by then. */
export const auditMax = 1_000;

// Every part reads a partial index of what is under way or wrong, which is empty or short when all is well, however long the
// history; at most auditMax entries of it. Two tables are read as they are: channel_states has a row per channel, quarantine
// stops at auditMax rows.
export const auditText = `
select
  (
    select count(*)::integer
    from (
      select from (${alertsOnNoWay('$1::double precision', String(auditMax))}
      ) as overdue
      limit ${auditMax}
    ) as counted
  ) as "overdueAlerts",
  (
    select count(*)::integer
    from (
      select from tocsin.delivery_attempts
      where ended_at is null and started_at <= statement_timestamp() - $2::double precision * interval '1 millisecond'
      limit ${auditMax}
    ) as counted
  ) as "staleAttempts",
  (
    select count(*)::integer
    from (
      select from tocsin.outcomes
      where disposition is null
      limit ${auditMax}
    ) as counted
  ) as unaccounted,
  (
    select greatest(0, extract(epoch from statement_timestamp() - signalled_at) * 1000)::double precision
    from tocsin.outcomes
    where disposition is null
    order by signalled_at
    limit 1
  ) as "oldestUnaccountedMs",
  (
    select count(*)::integer
    from (
      select from (${silencesToCarryOut('$1::double precision', 'silences.id')}
      ) as due
      limit ${auditMax}
    ) as counted
  ) as "overdueSilences",
  (
    select count(*)::integer
    from (
      select from tocsin.quarantine
      limit ${auditMax}
    ) as counted
  ) as quarantined,
  (
    select count(*)::integer
    from (
      select from tocsin.alerts
      where state not in ('acknowledged', 'resolved')
        and data -> 'told' = '[]'::jsonb
        and data -> 'failedDeliveries' > '0'::jsonb
      limit ${auditMax}
    ) as counted
  ) as untold,
  array(select channel from tocsin.channel_states where parked_at is not null order by channel) as "parkedChannels"`;

/**
 * Counts what should not be, in one statement. An action or a silence counts when it is overdue by `actionGraceMs`, an attempt
 * when it was made `attemptGraceMs` ago and has not ended.
 */
export const audit = async (
  tx: Queryable,
  limits: { readonly actionGraceMs: number; readonly attemptGraceMs: number },
): Promise<AuditCounts> => {
  const counts = (await tx.query<AuditCounts>(auditText, [limits.actionGraceMs, limits.attemptGraceMs])).rows[0];
  if (counts === undefined) throw new InvariantError('The audit answered nothing.');
  return counts;
};
