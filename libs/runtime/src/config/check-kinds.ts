import { type LooseEntry, listEntries, mappingAt, namesOf, textsAt } from './loose-file.ts';
import type { KindName } from './config.ts';

/** Limits of rules that may be `off`, and the kind that then never occurs. */
const LIMIT_OF_KIND = { stuck: 'stuck_after', stalled: 'stalled_after', partial: 'partial' } as const;

/**
 * By kind of failure why nothing in this file can ever be of it; undefined where something can. What is always there
 * (failed, dead, unhealthy) has no entry.
 */
export function possibleKinds(file: Readonly<Record<string, unknown>>): Readonly<Partial<Record<KindName, string>>> {
  const rules = listEntries(file['rules']);
  const hasDeadline = listEntries(file['chains']).some(({ value }) => value['deadline'] !== undefined);
  const hasThroughput = rules.some(({ value }) => (value['no_completion_after'] ?? 'off') !== 'off');
  return {
    ...(listEntries(file['schedules']).length === 0 && { overdue: 'nothing is overdue without schedules' }),
    ...(!hasDeadline && { deadline: 'no chain has a deadline' }),
    ...(!hasThroughput && { zero_throughput: 'no rule sets no_completion_after' }),
    ...Object.fromEntries(
      Object.entries(LIMIT_OF_KIND).flatMap(([kind, limit]) => {
        const index = ruleThatSwitchesOff(rules, kind, limit);
        return index === undefined ? [] : [[kind, `rules[${index}] has ${limit}: off for every job`]];
      }),
    ),
  };
}

/** The rule for every job that says `off`, unless one before it says something else for some. */
function ruleThatSwitchesOff(rules: readonly LooseEntry[], kind: string, limit: string): number | undefined {
  for (const { index, value } of rules) {
    const said = value[limit];
    const match = mappingAt(value, 'match');
    if (said === undefined || textsAt(match, 'kind')?.includes(kind) === false) continue;
    if (said !== 'off') return undefined;
    if (namesOf(match).every((key) => key === 'kind')) return index;
  }
  return undefined;
}
