import { FailureSignal } from '@tocsin/alert-model';
import { createTestDatabase } from '@tocsin/testing';
import { expect, it } from 'vitest';
import { researchJobsMapping } from './adapters/research-jobs-mapping.ts';
import { customiseMapping } from './customise-mapping.ts';
import { inspectTable } from './inspect-table.ts';
import { readIdentities } from './read-identities.ts';
import { readRunContexts } from './read-run-contexts.ts';
import { readFailures, scanFailures } from './scan-failures.ts';
import { skimFailures } from './skim-failures.ts';
import { createJobTable, sorted, sourceOf } from './watched-table.fixture.ts';

const { pool } = await createTestDatabase();
const after = '2000-01-01T00:00:00.000000Z';
const what = 'partials' as const;

const partlyFailed = async (result: string) => {
  const table = await createJobTable(pool, { status: "text default 'succeeded'", result });
  await pool.query(
    `insert into ${table} (target_id, status, result) values
      ('some', 'succeeded', '{"failed": 50, "total": 1000}'),
      ('text', 'succeeded', '{"failed": "3", "total": "many"}'),
      ('none', 'succeeded', '{"failed": 0, "total": 1000}'),
      ('silent', 'succeeded', '{}'),
      ('huge', 'succeeded', '{"failed": 1e400}'),
      ('odd', 'succeeded', '{"failed": [1, 2]}'),
      ('array', 'succeeded', '[7]'),
      ('failed', 'failed', '{"failed": 7}')`,
  );
  return { table, source: await sourceOf(pool, table) };
};

it.each(['jsonb', 'json'])('tells jobs that succeeded with parts that failed, counted in %s', async (type) => {
  const { table, source } = await partlyFailed(type);
  expect(source.countsParts).toBe(true);
  const { missingIndexes } = await inspectTable(pool, researchJobsMapping, { name: 'jobs', table });
  expect(missingIndexes.some(({ statement }) => statement.includes('_partials'))).toBe(type === 'jsonb');
  for (const { statement } of missingIndexes) await pool.query(statement);
  const { failures, rowKeys } = await scanFailures(pool, source, { what, after, limit: 10, isKnown: () => false });
  expect(sorted(failures.map(({ targetId, kind, counts }) => `${targetId} ${kind} ${JSON.stringify(counts)}`))).toEqual(
    ['some partial {"failed":50,"total":1000}', 'text partial {"failed":3,"total":null}'],
  );
  for (const failure of failures) expect(FailureSignal.safeParse(failure).success).toBe(true);
  const told = failures.map(({ outcomeId }) => outcomeId).toSorted();
  const compared = await readIdentities(pool, source, null, { what, lookBackMs: 86_400_000 });
  expect(compared.outcomes.map(({ id }) => id).toSorted()).toEqual(told);
  const ids = compared.outcomes.map(({ jobId }) => jobId);
  expect((await readFailures(pool, source, ids, { what })).map(({ outcomeId }) => outcomeId).toSorted()).toEqual(told);
  expect(await skimFailures(pool, source, { what, after, wasRead: (key) => rowKeys.includes(key) })).toMatchObject({
    rowsPassed: 2,
    followedBy: 'dry',
  });
  const ordinary = await scanFailures(pool, source, { after, limit: 10, isKnown: () => false });
  expect(ordinary.failures).toMatchObject([{ targetId: 'failed', kind: 'failed', counts: null }]);
});

it('does not read parts where the table counts none', async () => {
  const source = await sourceOf(pool, await createJobTable(pool, { result: null }));
  expect(source.countsParts).toBe(false);
  await expect(scanFailures(pool, source, { what, after, limit: 1, isKnown: () => false })).rejects.toThrow(
    /countsParts/,
  );
});

it('reads json that no operator of Postgres can read', async () => {
  const { table, source } = await partlyFailed('json');
  await pool.query(
    `insert into ${table} (target_id, result) values ('poison', '{"note": "\\u0000 \\ud800", "failed": 9}')`,
  );
  const { failures } = await scanFailures(pool, source, { what, after, limit: 10, isKnown: () => false });
  expect(failures.find(({ targetId }) => targetId === 'poison')?.counts).toEqual({ failed: 9, total: null });
});

it('takes a target from a document and a source from the configuration', async () => {
  const table = await createJobTable(pool);
  await pool.query(`insert into ${table} (payload) values ('{"account": {"id": 12, "a b": "x"}}'), (null)`);
  const inspect = (path: readonly string[]) =>
    inspectTable(
      pool,
      customiseMapping(researchJobsMapping, {
        columns: { target_id: { column: 'payload', path }, source: { value: "o'brien" } },
      }),
      { name: 'jobs', table },
    );
  const targets = async (path: readonly string[]) => {
    const { source, problems } = await inspect(path);
    expect(problems).toEqual([]);
    if (source === null) return [];
    const { failures } = await scanFailures(pool, source, { after, limit: 10, isKnown: () => false });
    expect(failures.every(({ source: name }) => name === "o'brien")).toBe(true);
    return sorted(failures.map(({ targetId }) => targetId));
  };
  expect(await targets(['account', 'id'])).toEqual([null, '12']);
  expect(await targets(['account', 'a b'])).toEqual([null, 'x']);
  const { missingIndexes } = await inspect(['account', 'id']);
  for (const { statement } of missingIndexes) await pool.query(statement);
  expect((await inspect(['account', 'id'])).missingIndexes).toEqual([]);
});

it('names what the configuration asks for and the table cannot give', async () => {
  const table = await createJobTable(pool, { payload: 'text' });
  const problems = async (columns: Parameters<typeof customiseMapping>[1]['columns'] & object) =>
    (await inspectTable(pool, customiseMapping(researchJobsMapping, { columns }), { name: 'jobs', table })).problems;
  expect((await problems({ target_id: { column: 'payload', path: ['a'] } })).join()).toMatch(
    /Column payload of .* is text; adapter research_jobs needs jsonb or json, to look below it for a/,
  );
  expect((await problems({ due_at: { column: 'result', path: ['at'] } })).join()).toMatch(
    /result .* is jsonb.*timestamptz.*\(at\)/,
  );
  expect((await problems({ stage: { column: 'nowhere', path: [] } })).join()).toContain('has no column nowhere');
  expect((await problems({ id: { value: '1' } })).join()).toMatch(/does not say which column .* holds id/);
});

it('finds the jobs of a run by the field that the configuration names for it', async () => {
  const table = await createJobTable(pool);
  await pool.query(
    `insert into ${table} (target_id, payload, status) values ('a', '{"batch": 7}', 'failed'), ('b', '{"batch": 7}', 'running')`,
  );
  const mapping = customiseMapping(researchJobsMapping, { columns: { run: { column: 'payload', path: ['batch'] } } });
  const inspect = () => inspectTable(pool, mapping, { name: 'jobs', table });
  for (const { statement } of (await inspect()).missingIndexes) await pool.query(statement);
  const { source, missingIndexes } = await inspect();
  expect(missingIndexes).toEqual([]);
  if (source === null) throw new Error('Unfit.');
  const { failures } = await scanFailures(pool, source, { after, limit: 5, isKnown: () => false });
  expect(failures).toMatchObject([{ targetId: 'a', run: '7' }]);
  const contexts = await readRunContexts(pool, source, failures);
  expect([...contexts.values()][0]?.steps.map(({ targetId }) => targetId)).toEqual(['a', 'b']);
});
