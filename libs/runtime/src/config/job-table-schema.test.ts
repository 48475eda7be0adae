import { describe, expect, test } from 'vitest';
import { loadText, problemsOfText } from './config-file.fixture.ts';

const tableOf = (text: string) => loadText(`jobs: [{ name: a, table: p.t, ${text} }]`).jobs[0];
const problemsOf = (text: string) =>
  problemsOfText(`jobs: [{ name: a, table: p.t, ${text} }]`).map((line) => line.replace('jobs[0].', ''));

describe('columns', () => {
  test('are columns, paths into a JSON column, or the same text for every row', () => {
    expect(
      tableOf(`adapter: custom, columns: { id: job_id, target_id: payload.account_id, source: { value: documents },
        stage: 'meta."current stage"', error: '"Last.Error"', checkpoint: state.0.check-point, job_type: '"say ""hi"""' }`)
        ?.columns,
    ).toEqual({
      id: { column: 'job_id', path: [] },
      target_id: { column: 'payload', path: ['account_id'] },
      source: { value: 'documents' },
      stage: { column: 'meta', path: ['current stage'] },
      error: { column: 'Last.Error', path: [] },
      checkpoint: { column: 'state', path: ['0', 'check-point'] },
      job_type: { column: 'say "hi"', path: [] },
    });
  });

  const form =
    'must be a column, such as account_id, or a path into a JSON column, such as payload.account_id; put an odd name in double quotes, such as \'"Account-Id"\'';
  test.each([
    ['{ target: x }', 'columns.target: unknown key; did you mean "target_id"?'],
    ['{ target_id: 3 }', 'columns.target_id: must be a column, or { value: … } with a text in quotes; got 3'],
    ['{ target_id: "payload..x" }', `columns.target_id: ${form}; got "payload..x"`],
    ['{ target_id: "payload.x." }', `columns.target_id: ${form}; got "payload.x."`],
    ['{ target_id: account-id }', `columns.target_id: ${form}; got "account-id"`],
    ['{ target_id: "x; drop table y" }', `columns.target_id: ${form}; got "x; drop table y"`],
    [`{ target_id: '"open' }`, `columns.target_id: ${form}; got "\\"open"`],
    [`{ target_id: '""' }`, 'columns.target_id: must not name an empty column or key; got "\\"\\""'],
    [
      `{ target_id: ${'a'.repeat(64)} }`,
      `columns.target_id: the name of a column has at most 63 bytes; got "${'a'.repeat(64)}"`,
    ],
    [
      '{ target_id: a.b.c.d.e.f.g.h.i.j }',
      'columns.target_id: a path has at most 8 keys below its column; got "a.b.c.d.e.f.g.h.i.j"',
    ],
    ['{ source: { value: 7 } }', 'columns.source.value: must be text (put it in quotes); got 7'],
    ['{ source: { valeu: x, value: y } }', 'columns.source.valeu: unknown key; did you mean "value"?'],
    [
      '{ id: { value: x } }',
      'columns.id: must be a column; only source, job_type, target_id may be the same for every row; got {"value":"x"}',
    ],
  ])('refuse %s', (text, problem) => {
    expect(problemsOf(`columns: ${text}`)).toEqual([problem]);
  });
});

describe('states', () => {
  test('are values of the status column by meaning, one or a list', () => {
    expect(
      tableOf('states: { waiting: [pending, queued], running: processing, failed: failed, succeeded: [completed] }')
        ?.states,
    ).toEqual({
      waiting: ['pending', 'queued'],
      running: ['processing'],
      failed: ['failed'],
      dead: [],
      succeeded: ['completed'],
      canceled: [],
    });
  });

  test.each([
    ['{ wating: x }', 'states.wating: unknown key; did you mean "waiting"?'],
    ['{}', 'states: names no status; leave it out; got {}'],
    [
      '{ failed: [x, y], dead: y }',
      'states.dead: names "y", which is in failed already; each status has one meaning; got "y"',
    ],
    ['{ failed: [3] }', 'states.failed[0]: must be text (put it in quotes); got 3'],
    ['{ failed: "" }', 'states.failed: must not be empty; got ""'],
  ])('refuse %s', (text, problem) => {
    expect(problemsOf(`states: ${text}`)).toEqual([problem]);
  });
});

describe('retention', () => {
  test('is a duration', () => {
    expect(tableOf('retention: 60s')?.retentionMs).toBe(60_000);
    expect(tableOf('batch: 1')).not.toHaveProperty('retentionMs');
  });

  test.each([
    ['60', 'retention: must have a unit, such as 60s or 60m; got 60'],
    ['10ms', 'retention: must be at least 1s; got "10ms"'],
  ])('refuses %s', (text, problem) => {
    expect(problemsOf(`retention: ${text}`)).toEqual([problem]);
  });
});

test('refuses the address of a janitor in another kind of database, without its password', () => {
  expect(problemsOf('janitor_database_url: "mysql://u:geheim@h/d"')).toEqual([
    'janitor_database_url: must be a URL beginning with postgres:// or postgresql://; got "mysql://u:***@h/d"',
  ]);
});

test('takes any name of an adapter, since the detector knows which there are', () => {
  expect(tableOf('adapter: oban')?.adapter).toBe('oban');
});
