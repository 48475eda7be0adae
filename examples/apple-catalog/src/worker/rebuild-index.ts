import type { PoolClient } from 'pg';
import { catalogTargets } from '../catalog-targets.ts';
import type { JobResult } from './record-success.ts';

/**
 * Builds the full-text index anew from the loaded tables.
 *
 * @param chainStartedAt the run the index is built for; null for a rebuild that somebody asked for by hand, which takes
 * what is loaded.
 * @throws Error when a target was never loaded, or was last loaded before the run began: an index of old rows would
 * look fresh.
 */
export async function rebuildIndex(tx: PoolClient, chainStartedAt: string | null): Promise<JobResult> {
  await refuseStaleLoads(tx, chainStartedAt);
  await tx.query('delete from apple_catalog.search_index');
  const indexed = await tx.query(
    `insert into apple_catalog.search_index (kind, id, label, document)
     select 'artist', id, name, setweight(to_tsvector('simple', name), 'A')
     from apple_catalog.artists
     union all
     select
       'album',
       album.id,
       album.title || ' by ' || artist.name,
       setweight(to_tsvector('simple', album.title), 'A') || setweight(to_tsvector('simple', artist.name), 'B')
     from apple_catalog.albums as album
     join apple_catalog.artists as artist on artist.id = album.artist_id
     union all
     select
       'song',
       song.id,
       song.title || ' by ' || artist.name,
       setweight(to_tsvector('simple', song.title), 'A') || setweight(to_tsvector('simple', artist.name), 'B')
     from apple_catalog.songs as song
     join apple_catalog.albums as album on album.id = song.album_id
     join apple_catalog.artists as artist on artist.id = album.artist_id`,
  );
  const loaded = await tx.query<{ entries: number }>(
    `select coalesce(sum(entries), 0)::integer as entries from apple_catalog.loads`,
  );
  const total = loaded.rows[0]?.entries ?? 0;
  const written = indexed.rowCount ?? 0;
  // Albums and songs whose artist or album is missing from the catalogue cannot be indexed.
  return { total, failed: total - written, written };
}

async function refuseStaleLoads(tx: PoolClient, chainStartedAt: string | null): Promise<void> {
  const stale = await tx.query<{ target: string; loaded_at: string | null }>(
    `select target, to_char(loaded_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as loaded_at
     from unnest($1::text[]) as target
     left join apple_catalog.loads using (target)
     where loaded_at is null or loaded_at < $2::timestamptz`,
    [catalogTargets, chainStartedAt],
  );
  if (stale.rows.length === 0) return;
  const targets = stale.rows.map(({ target, loaded_at }) =>
    loaded_at === null ? `${target} was never loaded` : `${target} was last loaded at ${loaded_at}`,
  );
  const since = chainStartedAt === null ? '' : `, the chain run began at ${chainStartedAt}`;
  throw new Error(`refused to index stale rows: ${targets.join(', ')}${since}; run refresh_catalog for them first`);
}
