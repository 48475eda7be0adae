import { expect, it } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import { detailsOfSnapshot } from '../job-details.ts';
import { dataImportJobsMapping } from './data-import-jobs-mapping.ts';
import { documentJobsMapping } from './document-jobs-mapping.ts';
import { documentPlatformSchema } from './document-platform-schema.fixture.ts';
import { failureScans, planOf } from './query-plan.fixture.ts';
import { asReader } from './read-only-role.fixture.ts';
import { scrapingSessionsMapping } from './scraping-sessions-mapping.ts';
import { watchingReads } from './watching-reads.fixture.ts';

const documents = await watchAdapter(documentJobsMapping, documentPlatformSchema);
const sessions = await watchAdapter(scrapingSessionsMapping, documentPlatformSchema);
const imports = await watchAdapter(dataImportJobsMapping, documentPlatformSchema);

it('tells a document job that failed, with its document', async () => {
  const { rows } = await documents.pool.query<{ readonly id: string; readonly document_id: string }>(
    `insert into background_jobs (job_type, document_id, status, error, progress, current_stage, completed_at)
     values ('pdf_processing', gen_random_uuid(), 'failed', 'No text layer', 40, 'text_extracted', now())
     returning id, document_id`,
  );
  await documents.pool.query(
    "insert into background_jobs (job_type, status) select 'pdf_processing', unnest(array['pending', 'processing', 'completed'])",
  );
  expect(await documents.scanAll()).toMatchObject([
    {
      jobId: rows[0]?.id,
      kind: 'failed',
      source: 'document_jobs',
      jobType: 'pdf_processing',
      targetId: rows[0]?.document_id,
      error: 'No text layer',
      attempts: null,
      maxAttempts: null,
    },
  ]);
  expect(await documents.job(rows[0]?.id ?? '')).toMatchObject({ stage: 'text_extracted', progress: '40' });
});

it('shows heartbeat, last change, stage and progress of a document job that runs', async () => {
  const { rows } = await documents.pool.query<{ readonly id: string }>(
    `insert into background_jobs (job_type, status, progress, current_stage, started_at, last_heartbeat, updated_at)
     values ('pdf_processing', 'processing', 60, 'tiles_generated', now() - interval '1 h', now() - interval '20 s', now() - interval '6 min')
     returning id`,
  );
  const running = (await documents.running()).find(({ id }) => id === rows[0]?.id);
  expect(running).toMatchObject({ stage: 'tiles_generated', progress: '60' });
  const silentMs = Date.parse(running?.heartbeatAt ?? '') - Date.parse(running?.changedAt ?? '');
  expect(Math.round(silentMs / 1_000)).toBe(340);
});

it('tells a document job that was restarted in its row and failed again, though no end is written down', async () => {
  const { rows } = await documents.pool.query<{ readonly id: string }>(
    `insert into background_jobs (job_type, status, last_heartbeat) values ('embedding', 'failed', now()) returning id`,
  );
  const outcome = async () => (await documents.scanAll()).find(({ jobId }) => jobId === rows[0]?.id)?.outcomeId;
  const first = await outcome();
  await documents.pool.query('update background_jobs set updated_at = now() where id = $1', [rows[0]?.id]);
  expect(await outcome()).toBe(first);
  await documents.pool.query(
    "update background_jobs set last_heartbeat = last_heartbeat + interval '1 min' where id = $1",
    [rows[0]?.id],
  );
  expect(await outcome()).not.toBe(first);
});

it('tells a scraping session by its url, and one that lost pages by its counts', async () => {
  await sessions.pool.query(
    `insert into scraping_sessions (source_url, status, total_pages, completed_pages, failed_pages, error_message, completed_at) values
       ('https://a.example', 'failed', 40, 3, 0, '403 Forbidden', now()),
       ('https://b.example', 'completed', 1000, 950, 50, null, now()),
       ('https://c.example', 'completed', 1000, 1000, 0, null, now()),
       ('https://d.example', 'scraping', 40, 12, 1, null, null),
       ('https://e.example', 'processing', 0, 0, 0, null, null),
       ('https://f.example', 'pending', 0, 0, 0, null, null)`,
  );
  expect(await sessions.scanAll()).toMatchObject([
    { kind: 'failed', source: 'scraping_sessions', jobType: 'scraping_session', targetId: 'https://a.example' },
  ]);
  expect(await sessions.scanAll('partials')).toMatchObject([
    { kind: 'partial', targetId: 'https://b.example', counts: { failed: 50, total: 1_000 } },
  ]);
  expect((await sessions.reconcile('partials')).length).toBe(1);
  const running = await sessions.running();
  expect(
    running
      .map(({ targetId, progress }) => [targetId, progress])
      .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  ).toEqual([
    ['https://d.example', '12 of 40 pages'],
    ['https://e.example', null],
  ]);
  expect(await sessions.successesOf('scraping_sessions', 'scraping_session')).toHaveLength(2);
  expect((await sessions.statuses()).filter(({ unknown }) => unknown)).toEqual([]);
});

it('tells an import by its source, and one that lost products by its counts', async () => {
  await imports.pool.query(
    `insert into data_import_jobs (source_name, status, total_products, processed_products, failed_products, error_message, completed_at) values
       ('acme xml', 'failed', 0, 0, 0, 'not well-formed', now()),
       ('bolt xml', 'completed', 200, 199, 1, null, now()),
       ('core xml', 'processing', 200, 20, 0, null, null)`,
  );
  expect(await imports.scanAll()).toMatchObject([
    {
      kind: 'failed',
      source: 'data_import_jobs',
      jobType: 'data_import',
      targetId: 'acme xml',
      error: 'not well-formed',
      notes: [],
    },
  ]);
  expect(await imports.scanAll('partials')).toMatchObject([
    { kind: 'partial', targetId: 'bolt xml', counts: { failed: 1, total: 200 } },
  ]);
  expect(await imports.running()).toMatchObject([{ targetId: 'core xml', progress: '20 of 200 products' }]);
});

it('says what its channels want to know of a document job that failed', async () => {
  const { rows } = await documents.pool.query<{ readonly id: string; readonly document_id: string }>(
    `insert into background_jobs (job_type, document_id, status, error, progress, current_stage, started_at, last_heartbeat, completed_at)
     values ('details', gen_random_uuid(), 'failed', 'boom', 40, 'text_extracted', '2026-03-02T03:00:00Z', '2026-03-02T03:09:30Z', now()),
       ('details', null, 'failed', 'boom', 0, null, null, null, now())
     returning id, document_id`,
  );
  const details = new Map((await documents.scanAll()).map((failure) => [failure.jobId, failure.details]));
  expect(details.get(rows[0]?.id ?? '')).toEqual({
    stage: 'text_extracted',
    progress: 40,
    counts: null,
    startedAt: '2026-03-02T03:00:00.000000Z',
    heartbeatAt: '2026-03-02T03:09:30.000000Z',
    fields: { document_id: rows[0]?.document_id },
  });
  expect(details.get(rows[1]?.id ?? '')).toEqual({
    stage: null,
    progress: 0,
    counts: null,
    startedAt: null,
    heartbeatAt: null,
    fields: {},
  });
});

it('says what its channels want to know of a session, whether it failed or does not move', async () => {
  const { rows: background } = await sessions.pool.query<{ readonly id: string }>(
    "insert into background_jobs (job_type, status) values ('scrape', 'processing') returning id",
  );
  const { rows } = await sessions.pool.query<{ readonly id: string; readonly status: string }>(
    `insert into scraping_sessions (source_url, status, total_pages, completed_pages, failed_pages, background_job_id, completed_at)
     select 'https://ann:hunter22@details.example/', status, 40, 10, 3, $1, now() from unnest(array['failed', 'scraping']) as status
     returning id, status`,
    [background[0]?.id],
  );
  const idOf = (wanted: string): string => rows.find(({ status }) => status === wanted)?.id ?? '';
  const expected = (id: string) => ({
    progress: 25,
    counts: { failed: 3, total: 40 },
    // An address may hold a password.
    fields: {
      session_id: id,
      source_url: 'https://[redacted]@details.example/',
      background_job_id: background[0]?.id,
    },
  });
  const failed = (await sessions.scanAll()).find(({ jobId }) => jobId === idOf('failed'));
  expect(failed?.details).toMatchObject(expected(idOf('failed')));
  const running = (await sessions.running()).find(({ id }) => id === idOf('scraping'));
  expect(running && detailsOfSnapshot(running, [])).toMatchObject(expected(idOf('scraping')));
});

it('says what its channels want to know of an import that lost parts', async () => {
  const { rows } = await imports.pool.query<{ readonly id: string }>(
    `insert into data_import_jobs (source_name, status, total_products, processed_products, failed_products, completed_at)
     values ('details xml', 'completed', 200, 150, 50, now()) returning id`,
  );
  const partial = (await imports.scanAll('partials')).find(({ jobId }) => jobId === rows[0]?.id);
  expect(partial).toMatchObject({
    counts: { failed: 50, total: 200 },
    details: {
      progress: 75,
      counts: { failed: 50, total: 200 },
      fields: { import_job_id: rows[0]?.id, source_name: 'details xml' },
    },
  });
  expect(Object.keys(partial?.details?.fields ?? {})).not.toContain('background_job_id');
});

it.each([
  ['document jobs', documents],
  ['scraping sessions', sessions],
  ['imports', imports],
])('names the indexes that %s lack, and is content with them', async (_caption, watched) => {
  const { missingIndexes, problems, warnings } = await watched.inspect();
  expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
  expect(missingIndexes.map(({ purpose }) => purpose)).toContain('finding new failures');
  for (const { statement } of missingIndexes) await watched.pool.query(statement);
  expect((await watched.inspect()).missingIndexes).toEqual([]);
});

it.each([
  ['document jobs', documents, 'background_jobs', 'job_type, document_id', "'type ' || n % 5, gen_random_uuid()"],
  ['scraping sessions', sessions, 'scraping_sessions', 'source_url', "'https://' || n % 50"],
  ['imports', imports, 'data_import_jobs', 'source_name', "'source ' || n % 50"],
])('reads %s by its indexes alone', async (_caption, { pool, source }, table, names, values) => {
  await pool.query(
    `insert into ${table} (${names}, status, created_at, updated_at, started_at, completed_at)
     select ${values},
       case when n % 1000 = 0 then 'failed' when n % 1000 = 1 then 'pending' when n % 1000 = 2 then 'processing' else 'completed' end,
       at, at, at, case when n % 1000 in (1, 2) then null else at end
     from (select n, now() - n * interval '1 s' as at from generate_series(1, 30000) as n) as numbered`,
  );
  await pool.query(`vacuum analyze ${table}`);
  const { rows } = await pool.query<{ readonly id: string }>(`select id from ${table} where status = 'failed' limit 1`);
  const id = rows[0]?.id ?? '';
  const since = '2000-01-01T00:00:00Z';
  const found = await source();
  const jobType =
    table === 'background_jobs' ? 'type 1' : table === 'scraping_sessions' ? 'scraping_session' : 'data_import';
  for (const [caption, text, parameters] of [
    ...failureScans(found, { since, changed: '2026-01-01 00:00:00+00', id }),
    ...watchingReads(found, { source: found.mapping.adapter, jobType, since, id }),
  ]) {
    const plan = await planOf(pool, text, parameters);
    expect(plan, caption).not.toMatch(new RegExp(`Seq Scan on ${table}`));
    expect(plan, caption).toMatch(/Index (Only )?Scan|Bitmap Index Scan|One-Time Filter: false/);
  }
});

it('reads with the privileges of the page, and cannot write', async () => {
  await asReader(documents, 'document-platform', async (reader) => {
    expect((await documents.inspect({ pool: reader })).problems).toEqual([]);
    const { rows } = await reader.query((await documents.source()).statements.failuresFrom, [
      '2000-01-01T00:00:00Z',
      10,
    ]);
    expect(rows.length).toBeGreaterThan(0);
    await expect(reader.query('delete from scraping_sessions')).rejects.toThrow(/permission denied/);
  });
});
