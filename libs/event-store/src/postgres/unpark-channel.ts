import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';

const text = `
with before as materialized (
  select channel, parked_at is not null as parked
  from tocsin.channel_states
  where channel = $1
  for update
)
update tocsin.channel_states
set
  parked_at = null,
  parked_reason = null,
  failures = 0,
  open_until = null,
  opened = 0
from before
where channel_states.channel = before.channel
returning before.parked`;

/** Lets a channel be tried again, whether it was parked or its circuit open. False when it was not parked. */
export const unparkChannel = async (tx: Queryable, channel: string): Promise<boolean> =>
  (await tx.query<{ readonly parked: boolean }>(text, [cleanText(channel)])).rows[0]?.parked === true;
