import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';
import type { ChannelState } from '../store.ts';
import { channelColumns } from './channel-columns.ts';

// The primary key.
export const channelStatesText = `
select ${channelColumns}
from tocsin.channel_states
where channel = any($1::text[])`;

/** What notifiers know of these channels; those of which nothing is known are left out. */
export const channelStates = async (
  tx: Queryable,
  channels: readonly string[],
): Promise<ReadonlyMap<string, ChannelState>> => {
  if (channels.length === 0) return new Map();
  const { rows } = await tx.query<ChannelState>(channelStatesText, [channels.map(cleanText)]);
  return new Map(rows.map((row) => [row.channel, row]));
};
