import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';

const text = `
insert into tocsin.channel_states as states (channel, open_until)
values ($1, clock_timestamp() + $2::double precision * interval '1 millisecond')
on conflict (channel) do update set open_until = greatest(states.open_until, excluded.open_until)`;

/** Lets nothing be tried on a channel for so long, as its provider wishes. No failure; an end already set is never put earlier. */
export const holdChannel = async (tx: Queryable, channel: string, forMs: number): Promise<void> => {
  await tx.query(text, [cleanText(channel), forMs]);
};
