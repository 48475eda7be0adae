import type { Queryable } from '@tocsin/runtime';

/** A condition (a job that is stuck, a channel that does not work) that was told. */
export interface ConditionRow {
  readonly id: string;
  readonly kind: string;
  /** `channel/chat` where it is Tocsin's own. */
  readonly jobId: string;
  /** The alert it is an occurrence of. */
  readonly alertId: string | null;
  readonly ended: boolean;
  /** Events that say so. */
  readonly begins: number;
  readonly ends: number;
}

/** Every condition, and how often the log says that it began and that it ended. */
export const conditionsBegun = async (queryable: Queryable): Promise<readonly ConditionRow[]> => {
  const { rows } = await queryable.query<ConditionRow>(
    `select
       outcomes.id,
       outcomes.kind,
       outcomes.job_id as "jobId",
       outcomes.alert_id::text as "alertId",
       outcomes.ended_at is not null as ended,
       count(*) filter (where events.type = 'FailureDetected')::integer as begins,
       count(*) filter (where events.type = 'FailureRetracted')::integer as ends
     from tocsin.outcomes
     left join tocsin.events on events.data ->> 'outcomeId' = outcomes.id::text
     where outcomes.subject is not null
     group by outcomes.id`,
  );
  return rows;
};
