import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';

const text = `
insert into tocsin.channel_states as states (channel, verified_at, verified_settings)
values ($1, clock_timestamp(), $2)
on conflict (channel) do update set
  verified_at = excluded.verified_at,
  verified_settings = excluded.verified_settings`;

/** Notes that a channel was seen to work with these settings (a fingerprint of them, never the settings themselves). */
export const verifyChannel = async (tx: Queryable, channel: string, settings: string): Promise<void> => {
  await tx.query(text, [cleanText(channel), cleanText(settings)]);
};
