import { isMatchless } from './check-references.ts';
import type { RuleBreach } from './describe-issue.ts';
import { type LooseEntry, listEntries, mappingAt, namesOf, textsAt } from './loose-file.ts';
import { patternCovers } from './job-pattern.ts';

/** The route that takes every alert if no other one does. */
export const DEFAULT_ROUTE = 'default';

const JOB_FIELDS = ['source', 'job_type', 'target_id'] as const;

/**
 * Finds routes that can never be used, which in an alerter is worse than an error at start: routes for a severity that
 * no rule gives, and routes whose every job is ignored by a rule. Also refuses a partial route called `default`, since
 * that is the name of the one that will be added.
 */
export function checkRoutes(data: unknown): readonly RuleBreach[] {
  const file = mappingAt({ data }, 'data');
  const rules = listEntries(file['rules']);
  const routes = listEntries(file['routes']);
  const severities = reachableSeverities(rules);
  const breaches = routes.flatMap(({ index, value }): RuleBreach[] => {
    const match = mappingAt(value, 'match');
    const wanted = textsAt(match, 'severity') ?? [];
    const path = ['routes', index, 'match'];
    if (wanted.length > 0 && !wanted.some((severity) => severities.has(severity))) {
      const rule = `this route is never used, because no rule gives the severity ${wanted.join(' or ')} (they give: ${[...severities].join(', ')}); add such a rule or drop this match`;
      return [{ path: [...path, 'severity'], rule, showsValue: false }];
    }
    const ignoring = ignoringRule(match, rules);
    if (ignoring === undefined) return [];
    const rule = `this route is never used, because rules[${ignoring}] ignores every job it is for; drop one of the two`;
    return [{ path: isMatchless(value) ? ['routes', index] : path, rule, showsValue: false }];
  });
  const matchless = routes.some(({ value }) => isMatchless(value));
  const partialDefault = routes.find(({ value }) => value['name'] === DEFAULT_ROUTE);
  if (!matchless && partialDefault !== undefined) {
    const rule = `"${DEFAULT_ROUTE}" is the route for every alert; give this one another name, or take its match out`;
    breaches.push({ path: ['routes', partialDefault.index, 'name'], rule, showsValue: false });
  }
  return breaches;
}

function reachableSeverities(rules: readonly LooseEntry[]): ReadonlySet<string> {
  const severities = new Set<string>();
  for (const { value } of rules) {
    const severity = value['severity'];
    if (typeof severity !== 'string') continue;
    severities.add(severity);
    // Rules after one that decides every job cannot decide any.
    if (namesOf(value['match']).length === 0) return severities;
  }
  // What the kinds have by themselves: see `severity` of a rule.
  return severities.add('warning').add('error');
}

/** The index of the rule that ignores every job of `match`, unless a rule before it may say otherwise. */
function ignoringRule(match: Readonly<Record<string, unknown>>, rules: readonly LooseEntry[]): number | undefined {
  for (const { index, value } of rules) {
    if (value['ignore'] === false) return undefined;
    if (value['ignore'] !== true) continue;
    const ruleMatch = mappingAt(value, 'match');
    // A rule for some kinds leaves the others.
    if (ruleMatch['kind'] !== undefined) continue;
    const covers = JOB_FIELDS.every((field) => {
      const patterns = textsAt(ruleMatch, field);
      if (patterns === undefined) return true;
      return (
        textsAt(match, field)?.every((wanted) => patterns.some((pattern) => patternCovers(pattern, wanted))) ?? false
      );
    });
    if (covers) return index;
  }
  return undefined;
}
