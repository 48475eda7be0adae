import pg from 'pg';

/** The subset of type OIDs (pg_type.dat) whose text form this product reads in its own way. */
const OID = { int8: 20, date: 1082, timestamp: 1114, timestamptz: 1184, interval: 1186 } as const;

/**
 * How values of Postgres become values of JavaScript, decided once for every connection of the product:
 * - `timestamptz`: an ISO-8601 string in UTC (see {@link parseInstant});
 * - `int8`: a number where that is exact (up to 2^53 - 1), else the decimal string. Ids of foreign tables may be
 *   larger: select them as `id::text`;
 * - `date`, `timestamp` (without time zone) and `interval`: the text as Postgres writes it, because a `Date` would
 *   silently use the time zone of this process;
 * - `numeric`: a string; `json` and `jsonb`: parsed; all others as node-postgres does.
 *
 * Handed to each pool, never installed globally: other users of node-postgres in this process keep their own parsers.
 */
export const postgresTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (format === 'binary') return pg.types.getTypeParser(oid, 'binary');
    switch (oid) {
      case OID.int8:
        return parseInt8;
      case OID.timestamptz:
        return parseInstant;
      case OID.date:
      case OID.timestamp:
      case OID.interval:
        return (text: string) => text;
      default:
        return pg.types.getTypeParser(oid, 'text');
    }
  }) as typeof pg.types.getTypeParser,
};

/** A number where it is exact, else the decimal string. */
export function parseInt8(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}

/** The text form of a timestamptz with `DateStyle = ISO` (the server's default); the offset may carry minutes and seconds. */
const isoTimestamp = /^(\d{4,6}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/;

/**
 * Reads the text form of a `timestamptz` under any session time zone as an ISO-8601 instant in UTC, always with six
 * digits of fraction, so that nothing Postgres knows is lost and such texts sort as the times do.
 *
 * `infinity` and `-infinity` are returned as they are. Throws RangeError for anything else that is not such a text
 * (years before Christ, another DateStyle).
 */
export function parseInstant(text: string): string {
  if (text === 'infinity' || text === '-infinity') return text;
  const match = isoTimestamp.exec(text);
  const [, date, time, fraction = '', sign, hours = '0', minutes = '0', seconds = '0'] = match ?? [];
  if (date === undefined || time === undefined) {
    throw new RangeError(
      `Postgres sent the timestamptz ${JSON.stringify(text)}; expected ISO style, such as 2026-01-31 03:00:00+00.`,
    );
  }
  const offsetMs = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  const wallClockMs = Date.parse(`${date}T${time}Z`);
  const utc = new Date(wallClockMs + (sign === '-' ? offsetMs : -offsetMs)).toISOString();
  return `${utc.slice(0, -'.000Z'.length)}.${fraction.padEnd(6, '0')}Z`;
}
