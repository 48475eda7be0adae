import { expect, it } from 'vitest';
import type { AdapterMapping } from '../adapter-mapping.ts';
import { customMapping, customMappingProblems } from './custom-mapping.ts';

const column = (name: string) => ({ column: name, use: 'text', required: true }) as const;

const filled: AdapterMapping = {
  ...customMapping,
  fields: {
    id: { column: 'id', use: 'key', required: true },
    jobType: { value: 'nightly_import' },
    status: { column: 'state', use: 'state', required: true },
    changedAt: { column: 'modified_at', use: 'instant', required: true },
  },
  states: { ...customMapping.states, failed: ['error'], succeeded: ['ok'] },
};

it('asks for everything that an empty mapping lacks, each with an example', () => {
  const problems = customMappingProblems(customMapping, 'orders');
  expect(problems).toHaveLength(5);
  expect(problems.join('\n')).toMatch(
    /where id is; .*id: id[\s\S]*job_type: kind, or .*\{ value: nightly_import \}[\s\S]*status: state[\s\S]*updated_at: modified_at[\s\S]*failed: \[failed, error\]/,
  );
  for (const problem of problems) expect(problem).toMatch(/^Watched table orders \(adapter custom\)/);
});

it('is content with an id, a constant job type, a status and a time', () => {
  expect(customMappingProblems(filled, 'orders')).toEqual([]);
});

it('takes a state that only a dead status marks as enough to tell', () => {
  const states = { ...customMapping.states, dead: ['gave_up'] };
  expect(customMappingProblems({ ...filled, states }, 'orders')).toEqual([]);
});

it('refuses constants where each row must differ', () => {
  const fields = { ...filled.fields, id: { value: '1' }, status: { value: 'failed' }, source: { value: 'billing' } };
  const problems = customMappingProblems({ ...filled, fields }, 'orders');
  expect(problems.map((problem) => /: (\w+) is the same/.exec(problem)?.[1])).toEqual(['id', 'status']);
});

it('refuses a status with two meanings', () => {
  const states = { ...filled.states, canceled: ['error'] };
  expect(customMappingProblems({ ...filled, states }, 'orders').join()).toMatch(/names error twice/);
});

it('does not care for fields it does not need', () => {
  const fields = { ...filled.fields, source: column('tenant'), targetId: column('account') };
  expect(customMappingProblems({ ...filled, fields }, 'orders')).toEqual([]);
});
