import { heldByWriterMaxMs } from '@tocsin/job-sources';
import type { Horizon, OldestWriter } from '@tocsin/job-sources';
import { formatDuration } from '@tocsin/runtime';
import { ok, warn } from './finding.ts';
import type { Finding } from './finding.ts';

/** A transaction that writes for longer delays what is read after it. */
const writerOldMs = 60_000;
/** Of the writer's last statement. */
const statementCharsMax = 80;

/** Does a transaction that has been writing for long hold the cursor back, and whose is it? Pure. */
export const oldestWriterFinding = (
  table: string,
  { readAt, oldestWriterAt }: Pick<Horizon, 'readAt' | 'oldestWriterAt'>,
  writer: OldestWriter,
): Finding => {
  const ageMs = oldestWriterAt === null ? 0 : Date.parse(readAt) - Date.parse(oldestWriterAt);
  if (ageMs < writerOldMs)
    return ok('oldest writer', `no transaction in the database of ${table} has been writing for long`);
  const { pid } = writer;
  const message = `a transaction in the database of ${table} has been writing for ${formatDuration(ageMs)}${whose(writer)}`;
  return warn(
    'oldest writer',
    ageMs < heldByWriterMaxMs
      ? `${message}; the cursor waits for it`
      : `${message}; what it commits is found by the slower comparison`,
    pid === null
      ? 'find it: select pid, xact_start, query from pg_stat_activity where backend_xid is not null order by xact_start;'
      : `let it end; if it hangs: select pg_terminate_backend(${pid});`,
  );
};

const whose = ({ pid, applicationName, state, query }: OldestWriter): string => {
  if (pid === null) return '';
  const statement = query?.replaceAll(/\s+/g, ' ').trim().slice(0, statementCharsMax) ?? '';
  const facts = [`pid ${pid}`, applicationName, state, statement === '' ? null : `last statement: ${statement}`];
  return ` (${facts.filter((fact) => fact !== null).join(', ')})`;
};
