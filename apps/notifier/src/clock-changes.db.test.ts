import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addMs } from '@tocsin/alert-model';
import { createChannel } from '@tocsin/channels';
import { createLogger, createPool } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { failure, openWorld, route } from './notifier-world.fixture.ts';
import type { Sent } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const directory = await mkdtemp(join(tmpdir(), 'tocsin-clocks-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

// Each test begins at another time, also at an earlier one than that before.
beforeEach(() =>
  database.pool.query(
    `alter table tocsin.events disable trigger all;
     truncate tocsin.events, tocsin.alerts, tocsin.digests, tocsin.deliveries, tocsin.delivery_attempts, tocsin.outcomes;
     alter table tocsin.events enable trigger all;
     delete from pgboss.job`,
  ),
);

const zoneBefore = process.env['TZ'];
afterEach(() => {
  if (zoneBefore === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zoneBefore;
});

const minuteMs = 60_000;
const windowMs = 60 * minuteMs;

/** The changes of 2027, by the IANA time zone database (2026a). The clocks of Lord Howe move by half an hour. */
const changes = [
  ['New York in spring', 'America/New_York', '2027-03-14T07:00:00.000Z', 60],
  ['New York in autumn', 'America/New_York', '2027-11-07T06:00:00.000Z', -60],
  ['Berlin in spring', 'Europe/Berlin', '2027-03-28T01:00:00.000Z', 60],
  ['Berlin in autumn', 'Europe/Berlin', '2027-10-31T01:00:00.000Z', -60],
  ['Cairo in spring', 'Africa/Cairo', '2027-04-29T22:00:00.000Z', 60],
  ['Cairo in autumn', 'Africa/Cairo', '2027-10-28T21:00:00.000Z', -60],
  ['Lord Howe in spring', 'Australia/Lord_Howe', '2027-10-02T15:30:00.000Z', 30],
  ['Lord Howe in autumn', 'Australia/Lord_Howe', '2027-04-03T15:00:00.000Z', -30],
] as const;

/** The mail as it is read, by the channel that writes it to a folder. */
const mailOf = async ({ outgoing }: Sent): Promise<string> => {
  const outbox = await mkdtemp(join(directory, 'outbox-'));
  const channel = createChannel(
    'outbox',
    { type: 'outbox', directory: outbox },
    { log: createLogger({ level: 'silent', name: 'mail' }) },
  );
  await channel.send(outgoing, { signal: new AbortController().signal, timeoutMs: 5_000 });
  await channel.close();
  const name = (await readdir(outbox)).find((file) => file.endsWith('.txt'));
  return readFile(join(outbox, name ?? 'no text part'), 'utf8');
};

const clockOf = (instant: string): string => instant.slice(11, 16);

test.each(changes)(
  'a window of an hour that the clocks change in takes an hour, and the mail has the right times: %s',
  async (_caption, zone, change, forwardMinutes) => {
    // As on a machine, and with a database, that lives in that zone.
    process.env['TZ'] = zone;
    const offsetAt = (instant: string): number => -new Date(instant).getTimezoneOffset();
    expect(offsetAt(change) - offsetAt(addMs(change, -1))).toBe(forwardMinutes);
    const address = new URL(database.connectionString);
    address.searchParams.set('options', `-c TimeZone=${zone}`);
    const connectionString = address.href;
    const pool = createPool({ connectionString, max: 4, applicationName: 'clocks', onError: () => {} });
    expect((await pool.query('show timezone')).rows).toEqual([{ TimeZone: zone }]);

    const world = await openWorld({ connectionString, pool }, { routes: [route({ windowMs })] });
    try {
      await world.advance(Date.parse(addMs(change, -30 * minuteMs)) - Date.now());
      const before = addMs(change, -31 * minuteMs);
      const after = addMs(change, 10 * minuteMs);
      await world.signal(failure({ source: zone, failedAt: before }));
      await world.run();
      await world.advance(45 * minuteMs);
      await world.signal(failure({ source: zone, failedAt: after, error: 'another cause' }));
      await world.run();
      await world.advance(14 * minuteMs);
      await world.run();
      expect(world.sent).toHaveLength(0);
      await world.advance(minuteMs);
      await world.run();
      expect(world.sent).toHaveLength(1);

      const { rows } = await pool.query<{
        readonly openedAt: string;
        readonly dueAt: string;
        readonly sealedAt: string;
      }>(
        `select data ->> 'openedAt' as "openedAt", data ->> 'dueAt' as "dueAt", data ->> 'sealedAt' as "sealedAt"
         from tocsin.digests`,
      );
      const digest = rows[0];
      if (digest === undefined) throw new Error('no digest was opened');
      const { openedAt, dueAt, sealedAt } = digest;
      expect(Date.parse(dueAt) - Date.parse(openedAt)).toBe(windowMs);
      // Opened half an hour before the change, so due half an hour after it, give or take what the test takes.
      expect(Math.abs(Date.parse(openedAt) - Date.parse(change) + 30 * minuteMs)).toBeLessThan(minuteMs);
      expect(Date.parse(sealedAt) - Date.parse(dueAt)).toBeGreaterThanOrEqual(0);
      expect(Date.parse(sealedAt) - Date.parse(dueAt)).toBeLessThan(minuteMs);

      const sent = world.sent[0];
      if (sent === undefined) throw new Error('nothing was sent');
      const text = await mailOf(sent);
      expect(text).toContain(`${clockOf(before)} UTC`);
      expect(text).toContain(`${clockOf(after)} UTC`);
      expect(text).toContain('All times are UTC.');
      const instants = JSON.stringify(sent.outgoing.message).match(/\d{4}-\d\d-\d\dT[\d:.]+Z/g) ?? [];
      const shown = text.match(/(?<![\d:.])\d\d:\d\d(?![\d:])/g) ?? [];
      expect(shown.filter((time) => !instants.map(clockOf).includes(time))).toEqual([]);
      expect(text).toContain('for 1 h 1 min');
    } finally {
      await world.close();
      await pool.end();
    }
  },
);
