import type { Queryable } from '@tocsin/runtime';

/** One try at one message, as the ledger has it. */
export interface AttemptRow {
  readonly channel: string;
  readonly number: number;
  readonly outcome: string;
  readonly reason: string | null;
  readonly status: number | null;
  readonly seconds: number | null;
}

/** The attempts at all messages, in the order in which they began. */
export const attemptsMade = async (queryable: Queryable): Promise<readonly AttemptRow[]> => {
  const { rows } = await queryable.query<AttemptRow>(
    `select
       deliveries.channel,
       attempt.number,
       attempt.outcome,
       attempt.reason,
       attempt.status,
       extract(epoch from attempt.started_at - first_value(attempt.started_at) over (order by attempt.started_at))::float8 as seconds
     from tocsin.delivery_attempts as attempt
     join tocsin.deliveries on deliveries.id = attempt.delivery_id
     order by attempt.started_at`,
  );
  return rows;
};
