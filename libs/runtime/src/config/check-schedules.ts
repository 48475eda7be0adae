import { cronProblem } from '../cron.ts';
import { timeZoneProblem } from '../zone-time.ts';
import type { FilePath, RuleBreach } from './describe-issue.ts';
import { type LooseEntry, listEntries, mappingAt, textAt } from './loose-file.ts';
import { suggestName } from './nearest-name.ts';

const DEFAULT_TABLE = 'research_jobs';

/** What the keys of a schedule mean together, and what they refer to: a watched table, a chain of its source, a due time that comes. */
export function checkSchedules(data: unknown): readonly RuleBreach[] {
  const file = mappingAt({ data }, 'data');
  const jobs = listEntries(file['jobs']);
  const tables = jobs.length === 0 ? [DEFAULT_TABLE] : jobs.flatMap(({ value }) => textAt(value, 'name') ?? []);
  const chains = listEntries(file['chains']);
  return listEntries(file['schedules']).flatMap((schedule): readonly RuleBreach[] => {
    const path = ['schedules', schedule.index];
    return [...checkTable(schedule, path, tables), ...checkWork(schedule, path, chains), ...checkDue(schedule, path)];
  });
}

function checkTable({ value }: LooseEntry, path: FilePath, tables: readonly string[]): readonly RuleBreach[] {
  const table = textAt(value, 'table');
  if (table === undefined || tables.includes(table)) return [];
  const rule = `there is no watched table "${table}" in jobs${suggestName(table, tables)}`;
  return [{ path: [...path, 'table'], rule, showsValue: false }];
}

function checkWork({ value }: LooseEntry, path: FilePath, chains: readonly LooseEntry[]): readonly RuleBreach[] {
  const breach = (key: string | undefined, rule: string): readonly RuleBreach[] => [
    { path: key === undefined ? path : [...path, key], rule, showsValue: false },
  ];
  if (value['chain'] === undefined) {
    return value['job_type'] === undefined
      ? breach(undefined, 'names neither chain nor job_type; add what must succeed')
      : [];
  }
  if (value['job_type'] !== undefined) return breach('chain', 'stands beside job_type; keep one of the two');
  if (value['target_id'] !== undefined) return breach('target_id', 'means nothing for a chain; drop it');
  const source = textAt(value, 'source');
  const chain = textAt(value, 'chain');
  if (source === undefined || chain === undefined) return [];
  const known = chains.flatMap((entry) =>
    textAt(entry.value, 'source') === source ? (textAt(entry.value, 'name') ?? []) : [],
  );
  if (known.includes(chain)) return [];
  return breach('chain', `there is no chain "${chain}" of the source "${source}"${suggestName(chain, known)}`);
}

function checkDue({ value }: LooseEntry, path: FilePath): readonly RuleBreach[] {
  const cron = textAt(value, 'cron');
  if (value['cron'] === undefined && value['every'] === undefined) {
    const rule = 'names neither cron nor every; add when it must succeed, such as cron: 0 3 * * 1 or every: 14d';
    return [{ path, rule, showsValue: false }];
  }
  if (value['every'] !== undefined) {
    const beside = ['cron', 'timezone'].filter((key) => value[key] !== undefined);
    return beside.map((key) => ({
      path: [...path, key],
      rule: key === 'cron' ? 'stands beside every; keep one of the two' : 'means nothing for every; drop it',
      showsValue: false,
    }));
  }
  const timeZone = textAt(value, 'timezone') ?? 'UTC';
  // A wrong zone is told where it stands.
  const problem =
    cron === undefined ? undefined : cronProblem(cron, timeZoneProblem(timeZone) === undefined ? timeZone : 'UTC');
  return problem === undefined ? [] : [{ path: [...path, 'cron'], rule: problem, showsValue: true }];
}
