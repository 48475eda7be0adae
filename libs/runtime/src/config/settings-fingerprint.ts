import { createHash } from 'node:crypto';
import type { ChannelConfig } from './config.ts';

/**
 * What a channel's settings are, as the hexadecimal SHA-256 of their JSON with keys in order: equal when nothing that
 * decides whether a message arrives has changed since the channel was last verified. How often it may be used
 * (`rateLimit`) does not count.
 */
export const settingsFingerprint = (channel: ChannelConfig): string => {
  const { rateLimit: _, ...settings } = channel;
  return createHash('sha256')
    .update(JSON.stringify(inOrder(settings)))
    .digest('hex');
};

/** The same value with the keys of every mapping sorted, those that hold undefined left out. */
const inOrder = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, inOrder(inner)]),
  );
};
