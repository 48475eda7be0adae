import { expect, it } from 'vitest';
import { customMapping } from './adapters/custom-mapping.ts';
import { researchJobsMapping } from './adapters/research-jobs-mapping.ts';
import { customiseMapping } from './customise-mapping.ts';
import type { AdapterMapping } from './adapter-mapping.ts';

const column = (name: string, path: readonly string[] = []) => ({ column: name, path });
const states = { waiting: ['new'], running: [], failed: ['broken'], dead: [], succeeded: ['ok'], canceled: [] };

it('leaves a preset as it is when nothing is said', () => {
  expect(customiseMapping(researchJobsMapping, { columns: {} })).toEqual(researchJobsMapping);
});

it('takes columns, paths and constants in place of the preset’s, and requires them', () => {
  const { fields } = customiseMapping(researchJobsMapping, {
    columns: {
      target_id: column('payload', ['account_id']),
      updated_at: column('changed'),
      source: { value: 'documents' },
    },
  });
  expect(fields).toMatchObject({
    targetId: { column: 'payload', path: ['account_id'], use: 'text', required: true },
    changedAt: { column: 'changed', use: 'instant', required: true },
    source: { value: 'documents' },
    jobType: { column: 'job_type' },
  });
});

it('makes a custom mapping of what is said', () => {
  const mapping = customiseMapping('custom', { columns: { id: column('key'), updated_at: column('changed') }, states });
  expect(mapping.fields).toEqual({
    source: { value: 'custom' },
    id: { column: 'key', use: 'key', required: true },
    changedAt: { column: 'changed', use: 'instant', required: true },
  });
  expect(mapping.states).toEqual(states);
  expect(customiseMapping(customMapping, { columns: {} }).fields['source']).toEqual({ value: 'custom' });
});

it('dates outcomes by the last change only where there is no better time', () => {
  expect(customiseMapping('custom', { columns: { created_at: column('made') } }).identityTimes.at(-1)).toBe(
    'changedAt',
  );
  expect(customiseMapping('custom', { columns: { finished_at: column('done') } }).identityTimes).not.toContain(
    'changedAt',
  );
});

it('refuses values of states where there is no status column', () => {
  const derived: AdapterMapping = {
    ...researchJobsMapping,
    title: 'Derived',
    fields: { ...researchJobsMapping.fields, status: { sql: "'x'", use: 'text', required: false } },
  };
  expect(() => customiseMapping(derived, { columns: {}, states })).toThrow(
    /Derived has no column .* jobs\[\]\.columns\.status/,
  );
});

it('adds details in front of those of the preset, which they replace by name', () => {
  const preset: AdapterMapping = {
    ...researchJobsMapping,
    details: {
      source_url: { column: 'source_url', use: 'anything', required: false },
      session_id: { column: 'id', use: 'anything', required: false },
    },
  };
  const { details } = customiseMapping(preset, {
    details: { tenant: column('payload', ['tenant', 'name']), source_url: column('url'), region: { value: 'eu' } },
  });
  expect(Object.entries(details ?? {})).toEqual([
    ['tenant', { column: 'payload', path: ['tenant', 'name'], use: 'anything', required: true }],
    ['source_url', { column: 'url', use: 'anything', required: true }],
    ['region', { value: 'eu' }],
    ['session_id', { column: 'id', use: 'anything', required: false }],
  ]);
});
