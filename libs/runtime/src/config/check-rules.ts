import type { RuleBreach } from './describe-issue.ts';
import { KINDS } from './rule-schema.ts';
import { listEntries, mappingAt, textAt, textsAt } from './loose-file.ts';

/** Settings that only some kinds of failure heed. */
const KINDS_OF_SETTING: Readonly<Record<string, readonly string[]>> = {
  threshold: ['failed', 'dead', 'partial'],
  stuck_after: ['stuck'],
  on_stuck: ['stuck'],
  stalled_after: ['stalled'],
  no_completion_after: ['zero_throughput'],
  partial: ['partial'],
};

/** Finds settings in rules for kinds of failure that never heed them, because they would be relied on in vain. */
export function checkRules(data: unknown): readonly RuleBreach[] {
  return listEntries(mappingAt({ data }, 'data')['rules']).flatMap(({ index, value }): readonly RuleBreach[] => {
    const kinds = textsAt(mappingAt(value, 'match'), 'kind');
    // A kind that does not exist is told where it stands.
    if (kinds === undefined || !kinds.every((kind) => KINDS.some((known) => known === kind))) return [];
    return Object.entries(KINDS_OF_SETTING).flatMap(([setting, heeding]): readonly RuleBreach[] => {
      if (value[setting] === undefined || kinds.some((kind) => heeding.includes(kind))) return [];
      const rule = `is heeded by ${heeding.join(', ')} only, and this rule is for ${kinds.join(', ')}; move it to a rule without match.kind`;
      return [{ path: ['rules', index, setting], rule, showsValue: false }];
    });
  });
}

/** What is allowed but probably not meant about the janitor, one sentence each. `inherited`: whether JANITOR_DATABASE_URL is set. */
export function janitorWarnings(data: unknown, inherited: boolean): readonly string[] {
  const file = mappingAt({ data }, 'data');
  const jobs = listEntries(file['jobs']);
  const acting = listEntries(file['rules']).flatMap(({ index, value }) => {
    const action = textAt(value, 'on_stuck') ?? textAt(mappingAt(value, 'on_stuck'), 'action');
    return action === undefined || action === 'alert' ? [] : [{ index, action }];
  });
  const connected = jobs.filter(({ value }) => value['janitor_database_url'] !== undefined);
  const inheriting = inherited && (jobs.length === 0 || jobs.some(({ value }) => value['database_url'] === undefined));
  if (acting.length === 0) {
    return connected.map(
      ({ index }) =>
        `jobs[${index}].janitor_database_url is set, but no rule says on_stuck, so the janitor does nothing.`,
    );
  }
  if (inheriting || connected.length > 0) return [];
  return acting.map(
    ({ index, action }) =>
      `rules[${index}].on_stuck is ${action}, but the janitor has no connection: set JANITOR_DATABASE_URL or jobs[].janitor_database_url. Until then stuck jobs are only told.`,
  );
}
