import type { Pool } from 'pg';
import { inTransaction } from './in-transaction.ts';

/** Creates the worker's own tables where they do not exist yet. */
export async function createCatalogueTables(db: Pool): Promise<void> {
  await inTransaction(db, async (tx) => {
    // `if not exists` alone still collides when two workers start at once; the lock makes them take turns.
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('apple_catalog/create-tables', 0))`);
    await tx.query(`
      create schema if not exists apple_catalog;
      create table if not exists apple_catalog.artists (
        id text primary key,
        name text not null,
        genre text not null,
        formed integer not null
      );
      create table if not exists apple_catalog.albums (
        id text primary key,
        artist_id text not null,
        title text not null,
        released_on date not null
      );
      create table if not exists apple_catalog.songs (
        id text primary key,
        album_id text not null,
        title text not null,
        track integer not null,
        duration_ms integer not null
      );
      create table if not exists apple_catalog.loads (
        target text primary key,
        entries integer not null,
        loaded_at timestamptz not null
      );
      create table if not exists apple_catalog.search_index (
        kind text not null,
        id text not null,
        label text not null,
        document tsvector not null,
        primary key (kind, id)
      );
      create index if not exists search_index_document on apple_catalog.search_index using gin (document);
    `);
  });
}
