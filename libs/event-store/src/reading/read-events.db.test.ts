import { randomUUID } from 'node:crypto';
import { alertStream } from '@tocsin/alert-model';
import { createPool } from '@tocsin/runtime';
import type { Pool, PooledClient, Queryable } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { opened } from '../contract/builders.ts';
import { appendEvents } from '../postgres/append-events.ts';
import { lockLog, logLockKey } from '../postgres/lock-log.ts';
import { formatGlobalCursor, parseGlobalCursor } from './global-cursor.ts';
import type { GlobalCursor } from './global-cursor.ts';
import { readEvents } from './read-events.ts';

// The server is shared with other test files, and the horizon of a snapshot is that of the whole cluster: another file's
// transaction may hold back what was just committed, so whatever is expected to appear is waited for.
const { pool, connectionString } = await createTestDatabase();

interface Writer {
  readonly begin: () => Promise<void>;
  /** Gives the transaction its xid without writing to the log. */
  readonly takeXid: () => Promise<void>;
  readonly append: () => Promise<string>;
  readonly lock: () => Promise<void>;
  readonly commit: () => Promise<void>;
  readonly rollback: () => Promise<void>;
}

let clients: PooledClient[] = [];
let start: GlobalCursor | null = null;

const newWriter = async (from: Pool = pool): Promise<Writer> => {
  const client = await from.connect();
  clients.push(client);
  const run = async (text: string) => void (await client.query(text));
  return {
    begin: () => run('begin'),
    takeXid: () => run('select pg_current_xact_id()'),
    append: async () => {
      const event = opened();
      const streamId = alertStream(event.data.alertId);
      await appendEvents(client as Queryable, [{ streamId, expectedVersion: 0, events: [event] }]);
      return streamId;
    },
    lock: () => lockLog(client as Queryable),
    commit: () => run('commit'),
    rollback: () => run('rollback'),
  };
};

/** Reads page by page until these streams, and no others, have been seen; answers them in the order read. */
const readUntilSeen = async (expected: readonly string[], limit = 100, after = start): Promise<readonly string[]> => {
  const seen: string[] = [];
  let cursor = after;
  await vi.waitUntil(async () => {
    const page = await readEvents(pool, { after: cursor, limit });
    seen.push(...page.events.map(({ streamId }) => streamId));
    // As a process would that keeps its place as text.
    cursor = page.cursor === null ? null : parseGlobalCursor(formatGlobalCursor(page.cursor));
    return seen.length >= expected.length;
  });
  return seen;
};

const seenNow = async (): Promise<readonly string[]> =>
  (await readEvents(pool, { after: start, limit: 100 })).events.map(({ streamId }) => streamId);

beforeEach(async () => {
  const all = await pool.query<{ readonly count: number }>('select count(*)::integer as count from tocsin.events');
  let total = 0;
  await vi.waitUntil(async () => {
    const page = await readEvents(pool, { after: start, limit: 10_000 });
    start = page.cursor;
    total =
      (
        await pool.query<{ readonly count: number }>(
          'select count(*)::integer as count from tocsin.events where (transaction_id, position) <= ($1::xid8, $2::bigint)',
          [start?.transactionId ?? '0', start?.position ?? 0],
        )
      ).rows[0]?.count ?? 0;
    return total === all.rows[0]?.count;
  });
});

const releaseAll = (): void => {
  for (const client of clients) client.release(true);
  clients = [];
};

afterEach(releaseAll);

describe('readEvents while others write', () => {
  it('reads in the order in which transactions began, not in that of positions', async () => {
    const [first, second] = [await newWriter(), await newWriter()];
    await first.begin();
    await first.takeXid();
    await second.begin();
    const [later, earlier] = [await second.append(), await first.append()];
    await first.commit();
    await second.commit();
    expect(await readUntilSeen([earlier, later])).toEqual([earlier, later]);
  });

  it('waits for older transactions that are still running', async () => {
    const [older, younger] = [await newWriter(), await newWriter()];
    await older.begin();
    const fromOlder = await older.append();
    const fromYounger = await younger.append();
    expect(await seenNow()).toEqual([]);
    await older.commit();
    expect(await readUntilSeen([fromOlder, fromYounger])).toEqual([fromOlder, fromYounger]);
  });

  it('does not skip what a slower transaction wrote that began before a faster one', async () => {
    const [slow, fast] = [await newWriter(), await newWriter()];
    await slow.begin();
    await slow.takeXid();
    const fromFast = await fast.append();
    expect(await seenNow()).toEqual([]);
    const fromSlow = await slow.append();
    await slow.commit();

    // One event a page: after the slow transaction's event, whose position is the higher, the faster one's still comes.
    expect(await readUntilSeen([fromSlow, fromFast], 1)).toEqual([fromSlow, fromFast]);

    // The reader that this one is not: ordered as here, but keeping the position alone, it never sees the faster one's.
    const { rows } = await pool.query<{ readonly stream_id: string }>(
      `select stream_id from tocsin.events
       where position > (select position from tocsin.events where stream_id = $1)
         and transaction_id < pg_snapshot_xmin(pg_current_snapshot())`,
      [fromSlow],
    );
    expect(rows).toEqual([]);
  });

  it('passes the gap that a rolled back writer leaves', async () => {
    const [undone, writer] = [await newWriter(), await newWriter()];
    const before = await writer.append();
    await undone.begin();
    await undone.append();
    const after = await writer.append();
    await undone.rollback();
    expect(await readUntilSeen([before, after])).toEqual([before, after]);
    const { rows } = await pool.query<{ readonly gap: boolean }>(
      'select max(position) - min(position) > 1 as gap from tocsin.events where stream_id in ($1, $2)',
      [before, after],
    );
    expect(rows).toEqual([{ gap: true }]);
  });

  it('misses nothing that is committed between two of its pages', async () => {
    const [slow, fast] = [await newWriter(), await newWriter()];
    const first = await fast.append();
    await readUntilSeen([first]);
    await slow.begin();
    const fromSlow = await slow.append();
    const fromFast = await fast.append();

    // The first page's snapshot is from before the commit, the second's from after it.
    const page = await readEvents(pool, { after: start, limit: 10 });
    expect(page.events.map(({ streamId }) => streamId)).toEqual([first]);
    await slow.commit();
    expect(await readUntilSeen([fromSlow, fromFast], 10, page.cursor)).toEqual([fromSlow, fromFast]);
  });

  it('sees every event once, in one order, whatever eight writers do meanwhile', async () => {
    const transactionsPerWriter = 15;
    const others = createPool({ connectionString, max: 8, applicationName: 'tocsin test writers', onError: () => {} });
    const writers = Array.from({ length: 8 }, async (_, index) => {
      const writer = await newWriter(others);
      const committed: string[] = [];
      for (let count = 0; count < transactionsPerWriter; count += 1) {
        await writer.begin();
        if ((index + count) % 3 === 0) await writer.takeXid();
        const streams = [await writer.append(), await writer.append()];
        if ((index + count) % 5 === 0) await writer.rollback();
        else {
          await writer.commit();
          committed.push(...streams);
        }
      }
      return committed;
    });
    try {
      const seen: string[] = [];
      let cursor = start;
      let written: readonly string[] | undefined;
      const finished = Promise.all(writers).then((streams) => (written = streams.flat()));
      await vi.waitUntil(
        async () => {
          const page = await readEvents(pool, { after: cursor, limit: 3 });
          cursor = page.cursor;
          seen.push(...page.events.map(({ streamId }) => streamId));
          return written !== undefined && seen.length >= written.length;
        },
        { timeout: 20_000, interval: 0 },
      );
      await finished;
      expect(seen.toSorted()).toEqual(written?.toSorted());
      const { rows } = await pool.query<{ readonly stream_id: string }>(
        'select stream_id from tocsin.events where stream_id = any($1) order by transaction_id, position',
        [seen],
      );
      expect(seen).toEqual(rows.map((row) => row.stream_id));
    } finally {
      releaseAll();
      await others.end();
    }
  });
});

describe('readEvents behind the lock of the log', () => {
  it('gives one order for commits, transactions and positions', async () => {
    const [first, second] = [await newWriter(), await newWriter()];
    await first.begin();
    await first.lock();
    await second.begin();
    const waiting = second.lock().then(() => second.append());
    await vi.waitUntil(async () => {
      const { rows } = await pool.query(
        `select from pg_locks
         where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())
           and (classid::bigint << 32) + objid::bigint = $1::bigint`,
        [logLockKey],
      );
      return rows.length === 1;
    });
    const fromFirst = await first.append();
    await first.commit();
    const fromSecond = await waiting;
    await second.commit();

    expect(await readUntilSeen([fromFirst, fromSecond])).toEqual([fromFirst, fromSecond]);
    const { rows } = await pool.query<{ readonly stream_id: string }>(
      'select stream_id from tocsin.events where stream_id in ($1, $2) order by position',
      [fromFirst, fromSecond],
    );
    expect(rows.map((row) => row.stream_id)).toEqual([fromFirst, fromSecond]);
  });
});

describe('readEvents', () => {
  it('orders transactions by number, not by their text', async () => {
    for (const [xid, streamId] of [
      ['10', 'alert-ten'],
      ['9', 'alert-nine'],
    ]) {
      await pool.query(
        `insert into tocsin.events (transaction_id, stream_id, version, event_id, type, schema_version, data, occurred_at)
         values ($1::xid8, $2, 1, gen_random_uuid(), 'AlertUnacknowledged', 1, '{"by": "mina"}', now())`,
        [xid, streamId],
      );
    }
    const { events } = await readEvents(pool, { after: null, limit: 2 });
    expect(events.map(({ streamId }) => streamId)).toEqual(['alert-nine', 'alert-ten']);
  });
});

describe('readEvents narrowed', () => {
  it('gives one stream, up to an instant or a position', async () => {
    const event = opened({}, '2026-01-05T03:00:00.000000Z');
    const later = { ...event, occurredAt: '2026-01-05T03:00:00.000001Z' };
    const streamId = alertStream(event.data.alertId);
    await appendEvents(pool, [
      { streamId, expectedVersion: 0, events: [event, later] },
      { streamId: `alert-${randomUUID()}`, expectedVersion: 0, events: [event] },
    ]);
    const versions = async (narrow: Omit<Parameters<typeof readEvents>[1], 'after' | 'limit'>) =>
      (await readEvents(pool, { after: start, limit: 100, streamId, ...narrow })).events.map(({ version }) => version);

    await vi.waitUntil(async () => (await versions({})).length === 2);
    expect(await versions({ until: event.occurredAt })).toEqual([1]);
    const [first] = (await readEvents(pool, { after: start, limit: 1, streamId })).events;
    expect(await versions({ untilPosition: first?.position ?? 0 })).toEqual([1]);
    const { events, cursor } = await readEvents(pool, { after: start, limit: 100, streamId: 'alert-none' });
    expect({ events, cursor }).toEqual({ events: [], cursor: start });
  });
});
