import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';

// The row is locked first, so that of two who park it at once one alone finds it unparked.
const lockText = `
select parked_at is not null as parked
from tocsin.channel_states
where channel = $1
for update`;

const makeText = `
insert into tocsin.channel_states (channel)
values ($1)
on conflict (channel) do nothing`;

const parkText = `
update tocsin.channel_states
set
  parked_at = clock_timestamp(),
  parked_reason = $2
where channel = $1`;

/**
 * Parks a channel whose key or account the provider refuses. Parked again, after one message has tried it again, it is left
 * alone anew from then on, and the answer is false.
 */
export const parkChannel = async (tx: Queryable, channel: string, reason: string): Promise<boolean> => {
  const name = cleanText(channel);
  await tx.query(makeText, [name]);
  const { rows } = await tx.query<{ readonly parked: boolean }>(lockText, [name]);
  await tx.query(parkText, [name, cleanText(reason)]);
  return rows[0]?.parked !== true;
};
