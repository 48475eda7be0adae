import { InvariantError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';
import { withChannelRow } from './with-channel-row.ts';

// The row lock comes first, the clock after it, in a part of its own: time spent waiting for another replica refills the
// bucket too, and two that come at once never count the same token. The wait is rounded up, else it would be asked again a
// fraction of a millisecond too early.
const text = `
with locked as materialized (
  select channel, tokens, tokens_at
  from tocsin.channel_states
  where channel = $1
  for update
), looked as materialized (
  select channel, tokens, tokens_at, clock_timestamp() as at
  from locked
), refilled as materialized (
  select
    channel,
    at,
    coalesce(
      least(
        $3::double precision,
        tokens + greatest(0, extract(epoch from at - tokens_at)::double precision * 1000) / $2::double precision
      ),
      $3::double precision
    ) as tokens
  from looked
), taken as (
  update tocsin.channel_states
  set
    tokens = refilled.tokens - 1,
    tokens_at = refilled.at
  from refilled
  where channel_states.channel = refilled.channel and refilled.tokens >= 1
)
select case when tokens >= 1 then 0 else ceil((1 - tokens) * $2::double precision) end as "waitMs"
from refilled`;

/**
 * Takes the right to send one message from the bucket all replicas share: it holds `burst` (at least 1) and gets one more
 * every `everyMs`. Answers 0, or how many milliseconds to wait; then nothing was taken. The channel's row stays locked until
 * the transaction ends; if it is rolled back the right is given back.
 */
export const takeToken = async (
  tx: Queryable,
  channel: string,
  limit: { readonly everyMs: number; readonly burst: number },
): Promise<number> => {
  const values = [cleanText(channel), limit.everyMs, Math.max(1, limit.burst)] as const;
  const taken = await withChannelRow<{ readonly waitMs: number }>(tx, text, values);
  if (taken === null) throw new InvariantError(`The state of channel ${channel} vanished.`);
  return taken.waitMs;
};
