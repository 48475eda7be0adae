import { expect, test } from 'vitest';
import { oldestWriterFinding } from './oldest-writer.ts';

const at = (minute: number): string => `2026-03-02T03:${String(minute).padStart(2, '0')}:00.000000Z`;
const nobody = { startedAt: null, pid: null, applicationName: null, state: null, query: null };
const worker = {
  startedAt: at(0),
  pid: 4711,
  applicationName: 'nightly import',
  state: 'idle in transaction',
  query: 'update  public.research_jobs\n set status = $1',
};

test('a short transaction is none to speak of', () => {
  const horizon = { readAt: at(1), oldestWriterAt: '2026-03-02T03:00:30.000000Z' };
  expect(oldestWriterFinding('public.research_jobs', horizon, worker)).toMatchObject({ status: 'ok' });
  expect(oldestWriterFinding('t', { readAt: at(1), oldestWriterAt: null }, nobody)).toMatchObject({ status: 'ok' });
});

test('a long one is named, with what it does and how to end it', () => {
  expect(oldestWriterFinding('public.research_jobs', { readAt: at(4), oldestWriterAt: at(0) }, worker)).toEqual({
    check: 'oldest writer',
    status: 'warn',
    message:
      'a transaction in the database of public.research_jobs has been writing for 4 min (pid 4711, nightly import, idle in transaction, last statement: update public.research_jobs set status = $1); the cursor waits for it',
    cure: 'let it end; if it hangs: select pg_terminate_backend(4711);',
  });
});

test('one of a role that may not be seen comes with the way to find it', () => {
  const finding = oldestWriterFinding('t', { readAt: at(4), oldestWriterAt: at(0) }, nobody);
  expect(finding).toMatchObject({ status: 'warn', cure: expect.stringContaining('pg_stat_activity') });
});
