import { laterInstant } from '../instant.ts';
import { cleanText } from '../jsonb.ts';
import { doublingsMax } from '../postgres/record-channel-result.ts';
import type { ChannelState, StoreSession } from '../store.ts';
import type { MemoryChannel, MemoryWork } from './memory-tables.ts';

type Channels = Pick<
  StoreSession,
  | 'channelStates'
  | 'takeToken'
  | 'recordChannelResult'
  | 'holdChannel'
  | 'parkChannel'
  | 'unparkChannel'
  | 'verifyChannel'
>;

/** What notifiers share about channels, in memory. */
export const memoryChannels = ({ tables, now }: MemoryWork): Channels => {
  const load = (name: string): MemoryChannel => {
    const channel = cleanText(name);
    return tables.channels.get(channel) ?? { ...unknownChannel, channel };
  };
  const change = (name: string, changes: Partial<MemoryChannel>): ChannelState => {
    const changed = { ...load(name), ...changes };
    tables.channels.set(changed.channel, changed);
    return withoutBucket(changed);
  };

  return {
    channelStates: async (channels) =>
      new Map(
        channels.flatMap((name) => {
          const known = tables.channels.get(cleanText(name));
          return known === undefined ? [] : [[known.channel, withoutBucket(known)] as const];
        }),
      ),
    takeToken: async (name, { everyMs, burst }) => {
      const { bucket } = load(name);
      const at = now();
      const size = Math.max(1, burst);
      const tokens =
        bucket === null ? size : Math.min(size, bucket.tokens + Math.max(0, msBetween(bucket.at, at)) / everyMs);
      if (tokens < 1) return Math.ceil((1 - tokens) * everyMs);
      change(name, { bucket: { tokens: tokens - 1, at } });
      return 0;
    },
    recordChannelResult: async (name, ok, { failuresMax, openMs, openMaxMs }) => {
      if (ok) return change(name, { failures: 0, openUntil: null, opened: 0, lastAcceptedAt: now() });
      const { failures, opened, openUntil } = load(name);
      const opens = failures + 1 >= failuresMax && (openUntil === null || openUntil <= now());
      const forMs = Math.min(openMaxMs, openMs * 2 ** Math.min(opened, doublingsMax));
      return change(name, {
        failures: failures + 1,
        lastFailedAt: now(),
        ...(opens ? { opened: opened + 1, openUntil: laterInstant(now(), forMs) } : {}),
      });
    },
    holdChannel: async (name, forMs) => {
      const until = laterInstant(now(), forMs);
      const { openUntil } = load(name);
      change(name, { openUntil: openUntil !== null && openUntil > until ? openUntil : until });
    },
    parkChannel: async (name, reason) => {
      const parked = load(name).parkedAt !== null;
      change(name, { parkedAt: now(), parkedReason: cleanText(reason) });
      return !parked;
    },
    unparkChannel: async (name) => {
      const known = tables.channels.get(cleanText(name));
      if (known === undefined) return false;
      change(name, { parkedAt: null, parkedReason: null, failures: 0, openUntil: null, opened: 0 });
      return known.parkedAt !== null;
    },
    verifyChannel: async (name, settings) => {
      change(name, { verifiedAt: now(), verifiedSettings: cleanText(settings) });
    },
  };
};

const unknownChannel: Omit<MemoryChannel, 'channel'> = {
  failures: 0,
  openUntil: null,
  opened: 0,
  parkedAt: null,
  parkedReason: null,
  lastAcceptedAt: null,
  lastFailedAt: null,
  verifiedAt: null,
  verifiedSettings: null,
  bucket: null,
};

const withoutBucket = ({ bucket: _bucket, ...state }: MemoryChannel): ChannelState => state;

/** Microseconds count: a bucket is refilled by fractions. */
const msBetween = (from: string, to: string): number =>
  Date.parse(to) - Date.parse(from) + (Number(to.slice(-4, -1)) - Number(from.slice(-4, -1))) / 1000;
