import { addMs, ownSource, stormShareKeysMin } from '@tocsin/alert-model';
import type { DigestId, Instant, JoinDigest, Policy, StormPolicy, Storms } from '@tocsin/alert-model';
import type { Session } from './service-context.ts';

/** How many jobs of a source succeeded within the storm's time, by source. */
export type SourceSuccesses = ReadonlyMap<string, number>;

const calm: Storms = { storm: null, inStorm: () => null, lastStorm: new Map() };

/**
 * Whether there is a storm at this moment; Tocsin's own alerts are told one by one, whatever else happens. Asks nothing of the database while nothing opens an alert and nothing follows
 * an earlier storm; otherwise two statements whose cost is bounded by the policy's number of keys.
 *
 * @param happening.joins what is about to join digests
 * @param happening.opening sources of the alerts that this transaction opens and has not saved, one for each alert
 * @param happening.successes how many jobs of a source succeeded lately, where that is known
 */
export const judgeStorms = async (
  { storm }: Pick<Policy, 'storm'>,
  session: Pick<Session, 'keysOpenedSince' | 'stormDigestsSince'>,
  now: Instant,
  happening: {
    readonly joins: readonly JoinDigest[];
    readonly opening: readonly string[];
    readonly successes: SourceSuccesses;
  },
): Promise<Storms> => {
  if (storm === null) return calm;
  const followsStorm = happening.joins.some(({ ofStorm }) => ofStorm);
  if (!followsStorm && !happening.joins.some(({ opened, source }) => opened && source !== ownSource)) return calm;
  // One key more than the limit is as good as any number.
  const keys = new Map(await session.keysOpenedSince(addMs(now, -storm.withinMs), storm.keys + 1));
  for (const source of happening.opening) keys.set(source, (keys.get(source) ?? 0) + 1);
  keys.delete(ownSource);
  const inStorm = stormsOf(storm, keys, happening.successes);
  const lastStorm = new Map<string, { sealedAt: Instant; threadId: DigestId }>();
  // What comes later than this is a storm of its own.
  for (const digest of await session.stormDigestsSince(addMs(now, -(storm.updateMs + storm.withinMs))))
    if (digest.sealedAt !== null)
      lastStorm.set(digest.route, { sealedAt: digest.sealedAt, threadId: digest.storm?.threadId ?? digest.id });
  return { storm, inStorm, lastStorm };
};

/** Judges numbers of new keys by source. Pure; exported for its test. */
export const stormsOf = (
  storm: StormPolicy,
  keys: ReadonlyMap<string, number>,
  successes: SourceSuccesses,
): Storms['inStorm'] => {
  const total = [...keys.values()].reduce((sum, count) => sum + count, 0);
  return (source) => {
    if (source === ownSource) return null;
    if (total > storm.keys) return { keys: total, source: keys.size === 1 ? source : null };
    const own = keys.get(source) ?? 0;
    const fine = successes.get(source);
    if (storm.share === null || fine === undefined || own < stormShareKeysMin) return null;
    return own / (own + fine) > storm.share ? { keys: own, source } : null;
  };
};
