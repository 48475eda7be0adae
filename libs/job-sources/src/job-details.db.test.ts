import { FailureSignal, nameCharsMax } from '@tocsin/alert-model';
import { createPool } from '@tocsin/runtime';
import type { JobTableConfig, Pool } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { expect, it } from 'vitest';
import { researchJobsMapping } from './adapters/research-jobs-mapping.ts';
import { customiseMapping } from './customise-mapping.ts';
import { inspectTable } from './inspect-table.ts';
import type { JobSource } from './job-source.ts';
import { detailsMax } from './resolve-fields.ts';
import { scanFailures } from './scan-failures.ts';
import { createJobTable, sorted } from './watched-table.fixture.ts';

const { pool, connectionString } = await createTestDatabase();
const column = (name: string, ...path: readonly string[]) => ({ column: name, path });

const inspect = (table: string, details: JobTableConfig['details'], through: Pool = pool) =>
  inspectTable(through, customiseMapping(researchJobsMapping, { details }), { name: 'jobs', table });
const sourceWith = async (table: string, details: JobTableConfig['details'], through?: Pool): Promise<JobSource> => {
  const { source, problems } = await inspect(table, details, through);
  if (source === null) throw new Error(problems.join('\n'));
  return source;
};
const scan = async (source: JobSource, secrets: readonly string[] = [], through: Pool = pool) => {
  const after = '2000-01-01T00:00:00.000000Z';
  const page = await scanFailures(through, source, { after, limit: 100, isKnown: () => false, secrets });
  for (const failure of page.failures) expect(FailureSignal.safeParse(failure).error).toBeUndefined();
  return page;
};
/** Further values of the only failure. */
const fieldsOf = async (table: string, details: JobTableConfig['details'], secrets?: readonly string[]) =>
  (await scan(await sourceWith(table, details), secrets)).failures[0]?.details?.fields;

it.each(['jsonb', 'json'])('reads columns, paths into %s and constants that the configuration names', async (type) => {
  const table = await createJobTable(pool, { payload: type, result: 'integer[]' });
  await pool.query(
    `insert into ${table} (payload, result, attempts)
     values ('{"document": {"id": 17, "a b": {"c": [true]}}, "none": null, "empty": ""}', '{1,2}', 3)`,
  );
  const fields = await fieldsOf(table, {
    document_id: column('payload', 'document', 'id'),
    odd_key: column('payload', 'document', 'a b', 'c', '0'),
    whole: column('payload', 'document'),
    nothing: column('payload', 'none'),
    empty: column('payload', 'empty'),
    missing: column('payload', 'no', 'such'),
    tries: column('attempts'),
    list: column('result'),
    region: { value: "eu 'west'" },
  });
  expect({ ...fields, whole: JSON.parse(fields?.['whole'] ?? 'null') as unknown }).toEqual({
    document_id: '17',
    odd_key: 'true',
    whole: { id: 17, 'a b': { c: [true] } },
    tries: '3',
    list: '{1,2}',
    region: "eu 'west'",
  });
});

it('takes the secrets out of them before it shortens them', async () => {
  const table = await createJobTable(pool, { payload: 'text', result: 'text' });
  const password = 'p'.repeat(nameCharsMax);
  await pool.query(`insert into ${table} (payload, result, target_id) values ($1, $2, $3)`, [
    `https://ann:${password}@files.example/a?token=abcdef0123456789 `,
    'key of ours: sesame-street-77',
    `${'x'.repeat(10_000)}😀`,
  ]);
  const fields = await fieldsOf(table, { url: column('payload'), note: column('result'), long: column('target_id') }, [
    'sesame-street-77',
  ]);
  expect(JSON.stringify(fields)).not.toMatch(/ppp|abcdef0123456789|sesame/);
  expect(fields?.['url']).toContain('files.example');
  expect(fields?.['note']).toContain('key of ours');
  expect(fields?.['long']).toHaveLength(nameCharsMax);
  expect(fields?.['long']).toMatch(/^x+ …$/);
});

it('reads json that no operator of Postgres can read', async () => {
  const table = await createJobTable(pool, { payload: 'json' });
  await pool.query(`insert into ${table} (payload) values ('{"note": "\\u0000 \\ud800 beside", "id": 9}')`);
  const fields = await fieldsOf(table, { note: column('payload', 'note'), id: column('payload', 'id') });
  expect(fields?.['id']).toBe('9');
  expect(fields?.['note']).toContain('beside');
});

it('tells a row whose details cannot be read without them, and the rows beside it in full', async () => {
  await pool.query("create database details_win1252 encoding 'WIN1252' locale 'C' template template0");
  const url = new URL(connectionString);
  url.pathname = '/details_win1252';
  const odd = createPool({ connectionString: url.href, max: 1, applicationName: 'test', onError: () => {} });
  try {
    const table = await createJobTable(odd, { result: 'text' });
    await odd.query(`insert into ${table} (result) values ('good'), (E'bad \\x81'), ('fine')`);
    const source = await sourceWith(table, { note: column('result') }, odd);
    const { failures, unreadable } = await scan(source, [], odd);
    expect(unreadable).toBe(1);
    expect(sorted(failures.map(({ details }) => details?.fields['note'] ?? null))).toEqual([null, 'fine', 'good']);
    expect(failures.find(({ details }) => details === null)?.notes[0]).toContain('could not be read');
  } finally {
    await odd.end();
    await pool.query('drop database details_win1252');
  }
});

it('says which column of the configuration is not there, and names the setting', async () => {
  const table = await createJobTable(pool);
  const { source, problems } = await inspect(table, { tenant: column('tenant'), tries: column('attempts', 'below') });
  expect(source).toBeNull();
  expect(problems).toEqual([
    expect.stringMatching(/has no column tenant, .* It is named by jobs\[\]\.details\.tenant\.$/),
    expect.stringMatching(/Column attempts .* needs jsonb or json, .* It is named by jobs\[\]\.details\.tries\.$/),
  ]);
});

it('reads as many of them as are allowed, those of the configuration first', async () => {
  const table = await createJobTable(pool);
  await pool.query(`insert into ${table} default values`);
  const preset = Object.fromEntries(['a', 'b'].map((name) => [name, { value: 'preset' }]));
  const chosen = Object.fromEntries(Array.from({ length: detailsMax }, (_, n) => [`field_${n}`, { value: 'chosen' }]));
  const mapping = customiseMapping({ ...researchJobsMapping, details: preset }, { details: chosen });
  const { source } = await inspectTable(pool, mapping, { name: 'jobs', table });
  if (source === null) throw new Error('unfit');
  expect((await scan(source)).failures[0]?.details?.fields).toEqual(
    Object.fromEntries(Object.keys(chosen).map((name) => [name, 'chosen'])),
  );
});

it('has no details where the table has nothing of the kind', async () => {
  const table = await createJobTable(pool, { heartbeat_at: null, result: null });
  await pool.query(`insert into ${table} default values`);
  expect((await scan(await sourceWith(table, {}))).failures[0]?.details).toBeNull();
});
