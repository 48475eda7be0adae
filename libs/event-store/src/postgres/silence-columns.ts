import { instantText } from '../instant.ts';

/** The columns of `tocsin.silences`, named so that a row is a `Silence` of the store. */
export const silenceColumns = `
  silences.id,
  silences.name,
  silences.match,
  silences.made_by as "by",
  silences.reason,
  ${instantText('silences.starts_at')} as "startsAt",
  case
    when silences.ends_at is null then jsonb_build_object('until', 'resolved')
    else jsonb_build_object('until', 'time', 'at', ${instantText('silences.ends_at')})
  end as "end",
  silences.alert_ids::text[] as "alertIds",
  ${instantText('silences.created_at')} as "createdAt",
  ${instantText('silences.applied_at')} as "appliedAt",
  ${instantText('silences.ended_at')} as "endedAt",
  silences.ended_by as "endedBy",
  silences.end_cause as "endCause"`;
