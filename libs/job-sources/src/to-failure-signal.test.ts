import { FailureSignal, nameCharsMax } from '@tocsin/alert-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailureRow } from './failure-row.ts';
import { outcomeId } from './outcome-id.ts';
import { toFailureSignal } from './to-failure-signal.ts';

const readAt = '2026-03-01T03:10:00.000000Z';
const row: FailureRow = {
  id: '7',
  changed: '2026-03-01 03:04:06+00',
  kind: 'failed',
  attempts: 3,
  identity_at: '2026-03-01T03:04:05.678901Z',
  changed_at: '2026-03-01T03:04:06.000000Z',
  finished_at: '2026-03-01T03:04:05.678901Z',
  started_at: null,
  created_at: null,
  unfinished: false,
  max_attempts: 3,
  source: 'apple',
  job_type: 'refresh_catalog',
  target_id: 'songs',
  error: 'boom',
  run: null,
};
const read = (change: Partial<FailureRow>) =>
  toFailureSignal(
    { ...row, ...change },
    {
      table: 'jobs',
      readAt,
      outcomeId: outcomeId({ table: 'jobs', jobId: '7', kind: 'failed', at: null, attempts: 3 }),
      secrets: ['hunter22'],
    },
  );

it('tells an ordinary row as it is, without a note', () => {
  expect(read({})).toMatchObject({
    jobId: '7',
    source: 'apple',
    error: 'boom',
    failedAt: row.finished_at,
    attempts: 3,
    notes: [],
  });
});

describe('whatever a row holds, it becomes a signal that the model accepts', () => {
  const text = fc.option(
    fc.oneof(fc.string({ unit: 'binary' }), fc.constant('\u{1f600}'.repeat(nameCharsMax)), fc.constant('\ud800')),
  );
  const counter = fc.option(fc.oneof(fc.integer(), fc.constant('9223372036854775807')));
  const time = fc.option(
    fc.constantFrom('2026-03-01T03:04:05.678901Z', '2031-01-01T00:00:00.000000Z', '1970-01-02T00:00:00.000000Z'),
  );
  const rows = fc.record({
    id: fc.string({ unit: 'binary' }),
    source: text,
    job_type: text,
    target_id: text,
    error: text,
    run: text,
    attempts: counter,
    max_attempts: counter,
    finished_at: time,
    changed_at: time,
    started_at: time,
    created_at: time,
    unfinished: fc.boolean(),
    kind: fc.constantFrom('failed' as const, 'dead' as const),
  });

  it('and its time is never later than the reading', () => {
    fc.assert(
      fc.property(rows, (change) => {
        const signal = read(change);
        expect(FailureSignal.safeParse(signal).error).toBeUndefined();
        expect(signal.failedAt <= readAt).toBe(true);
      }),
    );
  });
});

it('replaces an empty source and job type, because they must be called something', () => {
  expect(read({ source: '', job_type: null, target_id: '' })).toMatchObject({
    source: '(none)',
    jobType: '(none)',
    targetId: null,
  });
});

it('shortens long names so that different ones stay different', () => {
  const long = '\u{1f600}'.repeat(nameCharsMax);
  const one = read({ target_id: `${long}a` }).targetId;
  const other = read({ target_id: `${long}b` }).targetId;
  expect(one).toHaveLength(nameCharsMax);
  expect(one).not.toBe(other);
  expect(one).toBe(read({ target_id: `${long}a` }).targetId);
});

it.each([
  ['counters without a value', { attempts: null, max_attempts: null }],
  ['a negative counter', { attempts: -1 }],
  ['a counter beyond all reason', { attempts: '9223372036854775807' }],
])('says so when it finds %s', (_caption, change) => {
  expect(read(change).notes.join()).toContain('taken as final');
});

it('takes the time of the last change for a missing end time, and notes it', () => {
  const signal = read({ finished_at: null, unfinished: true });
  expect(signal.failedAt).toBe(row.changed_at);
  expect(signal.notes.join()).toContain('no end time');
});

it('takes the time of reading for an end time in the future, and notes it', () => {
  const signal = read({ finished_at: '2026-03-01T04:10:00.000000Z' });
  expect(signal.failedAt).toBe(readAt);
  expect(signal.notes.join()).toContain('future');
});

it('removes known and recognisable secrets and control characters from the error', () => {
  const { error } = read({ error: 'a\r\nBcc: x\u0000 hunter22 postgres://u:p4ssw0rd@h/db' });
  expect(error).not.toMatch(/hunter22|p4ssw0rd|\r|\0/);
});
