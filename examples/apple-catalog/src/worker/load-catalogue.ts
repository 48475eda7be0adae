import type { PoolClient } from 'pg';
import type { CatalogTarget } from '../catalog-targets.ts';
import type { CatalogueEntry } from './parse-catalogue.ts';
import type { JobResult } from './record-success.ts';

interface Statements {
  readonly upsert: string;
  readonly removeOthers: string;
}

// Whole statements, not built from pieces, so that each can be read and searched for as it is sent.
const statements: Readonly<Record<CatalogTarget, Statements>> = {
  artists: {
    upsert: `
      insert into apple_catalog.artists as known (id, name, genre, formed)
      select id, name, genre, formed
      from jsonb_to_recordset($1::jsonb) as entry (id text, name text, genre text, formed integer)
      on conflict (id) do update
      set name = excluded.name, genre = excluded.genre, formed = excluded.formed
      where (known.name, known.genre, known.formed) is distinct from (excluded.name, excluded.genre, excluded.formed)`,
    removeOthers: `delete from apple_catalog.artists where id <> all($1::text[])`,
  },
  albums: {
    upsert: `
      insert into apple_catalog.albums as known (id, artist_id, title, released_on)
      select id, artist_id, title, released_on
      from jsonb_to_recordset($1::jsonb) as entry (id text, artist_id text, title text, released_on date)
      on conflict (id) do update
      set artist_id = excluded.artist_id, title = excluded.title, released_on = excluded.released_on
      where
        (known.artist_id, known.title, known.released_on)
        is distinct from (excluded.artist_id, excluded.title, excluded.released_on)`,
    removeOthers: `delete from apple_catalog.albums where id <> all($1::text[])`,
  },
  songs: {
    upsert: `
      insert into apple_catalog.songs as known (id, album_id, title, track, duration_ms)
      select id, album_id, title, track, duration_ms
      from jsonb_to_recordset($1::jsonb)
        as entry (id text, album_id text, title text, track integer, duration_ms integer)
      on conflict (id) do update
      set
        album_id = excluded.album_id,
        title = excluded.title,
        track = excluded.track,
        duration_ms = excluded.duration_ms
      where
        (known.album_id, known.title, known.track, known.duration_ms)
        is distinct from (excluded.album_id, excluded.title, excluded.track, excluded.duration_ms)`,
    removeOthers: `delete from apple_catalog.songs where id <> all($1::text[])`,
  },
};

/**
 * Makes the table of a target equal to its file: new and changed entries are written, entries that are no longer in the
 * file are removed. Loading the same file twice changes nothing but the time of the load.
 */
export async function loadCatalogue(
  tx: PoolClient,
  target: CatalogTarget,
  entries: readonly CatalogueEntry[],
): Promise<JobResult> {
  const written = await tx.query(statements[target].upsert, [JSON.stringify(entries)]);
  const removed = await tx.query(statements[target].removeOthers, [entries.map((entry) => entry.id)]);
  await tx.query(
    `insert into apple_catalog.loads (target, entries, loaded_at)
     values ($1, $2, clock_timestamp())
     on conflict (target) do update
     set entries = excluded.entries, loaded_at = excluded.loaded_at`,
    [target, entries.length],
  );
  return { total: entries.length, failed: 0, written: written.rowCount ?? 0, removed: removed.rowCount ?? 0 };
}
