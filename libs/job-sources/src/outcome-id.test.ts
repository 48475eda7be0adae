import fc from 'fast-check';
import { expect, it } from 'vitest';
import { outcomeId } from './outcome-id.ts';
import type { OutcomeIdentity } from './outcome-id.ts';

const identity: fc.Arbitrary<OutcomeIdentity> = fc.record({
  table: fc.string(),
  jobId: fc.string(),
  kind: fc.constantFrom('failed', 'dead', 'succeeded'),
  at: fc.option(fc.string()),
  attempts: fc.option(fc.oneof(fc.integer(), fc.bigInt().map(String))),
});

it('gives the same outcome the same id, and every id is a version 5 UUID', () => {
  fc.assert(
    fc.property(identity, (one) => {
      expect(outcomeId({ ...one })).toBe(outcomeId(one));
      expect(outcomeId(one)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }),
  );
});

it('gives outcomes that differ in any part different ids', () => {
  const text = ({ attempts, ...rest }: OutcomeIdentity): string =>
    JSON.stringify({ ...rest, attempts: attempts === null ? null : String(attempts) });
  fc.assert(
    fc.property(identity, identity, (one, other) => {
      expect(outcomeId(one) === outcomeId(other)).toBe(text(one) === text(other));
    }),
  );
});

it('keeps the parts apart when one ends with what the next begins with', () => {
  const base: OutcomeIdentity = { table: 'jobs', jobId: '1', kind: 'failed', at: null, attempts: null };
  expect(outcomeId({ ...base, table: 'jobs","1', jobId: '' })).not.toBe(outcomeId(base));
});

it('takes a counter read as text for the same counter', () => {
  const base: OutcomeIdentity = { table: 'jobs', jobId: '1', kind: 'failed', at: null, attempts: 3 };
  expect(outcomeId({ ...base, attempts: '3' })).toBe(outcomeId(base));
});

it('never changes for an outcome recorded by an earlier version', () => {
  expect(
    outcomeId({ table: 'research_jobs', jobId: '8a4c', kind: 'dead', at: '2026-03-01T03:04:05.678901Z', attempts: 3 }),
  ).toBe('38f1767d-e5cb-5791-9f9f-11b0556d2fc4');
});
