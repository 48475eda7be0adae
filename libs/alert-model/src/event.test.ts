import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AlertState } from './alert-state.ts';
import { evolveDigest } from './digest-state.ts';
import type { DigestState } from './digest-state.ts';
import { alertEventSchemas, digestEventSchemas, parseEvent } from './event.ts';
import type { AlertEvent, AlertEventType, DigestEvent, DigestEventType } from './event.ts';
import { evolveAlert } from './evolve-alert.ts';
import { InvariantError } from './invariant-error.ts';

const folder = new URL('../fixtures/events/v1/', import.meta.url);
/** The same version with the fields that came later: what is written today where an event of version 0.1 had fewer. */
const widened = new URL('../fixtures/events/v1-widened/', import.meta.url);
const streams = new URL('../fixtures/streams/', import.meta.url);
type Row = Parameters<typeof parseEvent>[0];
const read = <Content>(url: URL): Content => JSON.parse(readFileSync(url, 'utf8')) as Content;
const types = [...Object.keys(alertEventSchemas), ...Object.keys(digestEventSchemas)];

describe('stored events of version 1', () => {
  test('there is one example of every event type, and no other file', () => {
    expect(readdirSync(folder).toSorted()).toEqual(types.map((type) => `${type}.json`).toSorted());
  });

  /** What parsing adds to an event written before these fields were known. */
  const added: Readonly<Record<string, (data: never) => object>> = {
    FailureDetected: (data: { readonly opening: { readonly routes: readonly object[] } }) => ({
      ...data,
      details: null,
      opening: {
        ...data.opening,
        flapping: null,
        routes: [
          {
            ...data.opening.routes[0],
            firstAtOnce: false,
            quietHours: [],
            breakThrough: ['critical'],
            escalation: {
              name: 'second line',
              levels: [{ afterMs: 1_800_000, channels: ['pager'], severities: null }],
              repeat: null,
            },
          },
        ],
      },
    }),
    AlertEscalated: (data: object) => ({ ...data, repeat: 0 }),
    DigestOpened: (data: object) => ({ ...data, storm: null }),
  };

  test.for(types)('%s parses, and nothing of it is lost', (type) => {
    const row = read<Row>(new URL(`${type}.json`, folder));
    expect(row).toMatchObject({ type, schemaVersion: 1 });
    const data = added[type]?.(row.data as never) ?? row.data;
    expect(parseEvent(row)).toEqual({ type, occurredAt: row.occurredAt, data });
  });

  test.for(readdirSync(widened))('%s parses with all it may hold today', (file) => {
    const row = read<Row>(new URL(file, widened));
    expect(parseEvent(row)).toEqual({ type: file.replace('.json', ''), occurredAt: row.occurredAt, data: row.data });
  });
});

describe('stored streams', () => {
  test.for(['alert', 'conditions', 'muted'])(
    'the stream of an alert (%s) folds to the very state it always had',
    (name) => {
      const rows = read<readonly Row[]>(new URL(`${name}.json`, streams));
      const state = rows.map((row) => parseEvent(row) as AlertEvent).reduce<AlertState | null>(evolveAlert, null);
      expect(JSON.stringify(state)).toBe(JSON.stringify(read(new URL(`${name}.state.json`, streams))));
    },
  );

  test('hold every type of event of an alert', () => {
    const rows = ['alert', 'conditions', 'muted'].flatMap((name) =>
      read<readonly Row[]>(new URL(`${name}.json`, streams)),
    );
    expect(new Set(rows.map((row) => row.type)).size).toBe((Object.keys(alertEventSchemas) as AlertEventType[]).length);
  });

  test.for(['digest', 'redriven'])('the stream of a digest (%s) folds to the very state it always had', (name) => {
    const rows = read<readonly Row[]>(new URL(`${name}.json`, streams));
    const state = rows.map((row) => parseEvent(row) as DigestEvent).reduce<DigestState | null>(evolveDigest, null);
    expect(JSON.stringify(state)).toBe(JSON.stringify(read(new URL(`${name}.state.json`, streams))));
  });

  test('hold every type of event of a digest', () => {
    const rows = ['digest', 'redriven'].flatMap((name) => read<readonly Row[]>(new URL(`${name}.json`, streams)));
    expect(new Set(rows.map((row) => row.type)).size).toBe(
      (Object.keys(digestEventSchemas) as DigestEventType[]).length,
    );
  });
});

describe('parseEvent', () => {
  const row = read<Row>(new URL('AlertBatched.json', folder));

  test.for([
    ['of an unknown type', { ...row, type: 'AlertExploded' }],
    ['named like something every object has', { ...row, type: 'constructor' }],
    ['of a newer version', { ...row, schemaVersion: 2 }],
  ] as const)('refuses an event %s, and says what to do', ([, broken]) => {
    expect(() => parseEvent(broken)).toThrow(InvariantError);
    expect(() => parseEvent(broken)).toThrow(/Upgrade Tocsin/);
  });

  test('refuses data that does not fit, and names the field', () => {
    expect(() => parseEvent({ ...row, data: { ...(row.data as object), digestId: 'x' } })).toThrow(/digestId/);
    expect(() => parseEvent({ ...row, data: null })).toThrow(InvariantError);
  });
});
