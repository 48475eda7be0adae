import { isMatchless } from './check-references.ts';
import { possibleKinds } from './check-kinds.ts';
import type { FilePath, RuleBreach } from './describe-issue.ts';
import { patternCovers } from './job-pattern.ts';
import { type LooseEntry, listEntries, mappingAt, namesOf, textAt, textsAt } from './loose-file.ts';
import { suggestName } from './nearest-name.ts';
import { KINDS } from './rule-schema.ts';

/** The route that takes every alert if no other one does. */
export const DEFAULT_ROUTE = 'default';

const JOB_FIELDS = ['source', 'job_type', 'target_id'] as const;

/** Adapter of a table that names none. */
const DEFAULT_ADAPTER = 'research_jobs';

/** Kinds that matter less by themselves: see `severity` of a rule. */
const WARNING_KINDS: readonly string[] = ['partial', 'stalled'];

type Match = Readonly<Record<string, unknown>>;

/**
 * Finds routes that can never be used, which in an alerter is worse than an error at start: routes for a severity that
 * no rule gives, for kinds that nothing here looks for, for adapters no table has, and routes whose every job is ignored
 * by rules. Also refuses a partial route called `default`, since that is the name of the one that will be added.
 */
export function checkRoutes(data: unknown): readonly RuleBreach[] {
  const file = mappingAt({ data }, 'data');
  const rules = listEntries(file['rules']);
  const routes = listEntries(file['routes']);
  const possible = possibleKinds(file);
  const adapters = adaptersOf(listEntries(file['jobs']));
  const breaches = routes.flatMap(({ index, value }): readonly RuleBreach[] => {
    const match = mappingAt(value, 'match');
    const path = ['routes', index, 'match'];
    const first =
      adapterBreach(match, path, adapters) ??
      kindBreach(match, path, possible) ??
      severityBreach(match, path, rules) ??
      ignoredBreach(match, isMatchless(value) ? ['routes', index] : path, rules);
    return first === undefined ? [] : [first];
  });
  const matchless = routes.some(({ value }) => isMatchless(value));
  const partialDefault = routes.find(({ value }) => value['name'] === DEFAULT_ROUTE);
  if (matchless || partialDefault === undefined) return breaches;
  const rule = `"${DEFAULT_ROUTE}" is the route for every alert; give this one another name, or take its match out`;
  return [...breaches, { path: ['routes', partialDefault.index, 'name'], rule, showsValue: false }];
}

function adaptersOf(jobs: readonly LooseEntry[]): readonly string[] {
  if (jobs.length === 0) return [DEFAULT_ADAPTER];
  return [...new Set(jobs.map(({ value }) => textAt(value, 'adapter') ?? DEFAULT_ADAPTER))];
}

function adapterBreach(match: Match, path: FilePath, adapters: readonly string[]): RuleBreach | undefined {
  const unknown = textsAt(match, 'adapter')?.find((adapter) => !adapters.includes(adapter));
  if (unknown === undefined) return undefined;
  const rule = `no watched table has the adapter "${unknown}"${suggestName(unknown, adapters)}`;
  return { path: [...path, 'adapter'], rule, showsValue: false };
}

/** `possible`: by kind undefined, or why nothing is ever of it. */
function kindBreach(
  match: Match,
  path: FilePath,
  possible: Readonly<Record<string, string | undefined>>,
): RuleBreach | undefined {
  const wanted = textsAt(match, 'kind') ?? [];
  // A kind that does not exist is told where it stands.
  if (wanted.length === 0 || wanted.some((kind) => !isKind(kind) || possible[kind] === undefined)) return undefined;
  const reasons = [...new Set(wanted.map((kind) => possible[kind]))];
  const rule = `this route is never used, because ${reasons.join(', and ')}; change that or drop this match`;
  return { path: [...path, 'kind'], rule, showsValue: false };
}

function severityBreach(match: Match, path: FilePath, rules: readonly LooseEntry[]): RuleBreach | undefined {
  const wanted = textsAt(match, 'severity') ?? [];
  const severities = reachableSeverities(rules, kindsOf(match));
  if (wanted.length === 0 || wanted.some((severity) => severities.has(severity))) return undefined;
  const rule = `this route is never used, because no rule gives the severity ${wanted.join(' or ')} (they give: ${[...severities].join(', ')}); add such a rule or drop this match`;
  return { path: [...path, 'severity'], rule, showsValue: false };
}

function ignoredBreach(match: Match, path: FilePath, rules: readonly LooseEntry[]): RuleBreach | undefined {
  const ignoring = kindsOf(match).map((kind) => ignoringRule(match, kind, rules));
  const indexes = [...new Set(ignoring)].toSorted((a, b) => (a ?? 0) - (b ?? 0));
  if (indexes.length === 0 || indexes.includes(undefined)) return undefined;
  const who = indexes.map((index) => `rules[${index}]`).join(' and ');
  const does = indexes.length === 1 ? 'ignores' : 'ignore';
  const rule = `this route is never used, because ${who} ${does} every job it is for; drop one of the two`;
  return { path, rule, showsValue: false };
}

/** The kinds a match is for. */
function kindsOf(match: Match): readonly string[] {
  return textsAt(match, 'kind')?.filter(isKind) ?? KINDS;
}

function isKind(kind: string): boolean {
  return KINDS.some((known) => known === kind);
}

/** Which severities failures of these kinds can have. */
function reachableSeverities(rules: readonly LooseEntry[], kinds: readonly string[]): ReadonlySet<string> {
  const severities = new Set<string>();
  for (const { value } of rules) {
    const severity = value['severity'];
    if (typeof severity !== 'string') continue;
    const ruleKinds = textsAt(mappingAt(value, 'match'), 'kind');
    if (ruleKinds !== undefined && !ruleKinds.some((kind) => kinds.includes(kind))) continue;
    severities.add(severity);
    // Rules after one that decides every job cannot decide any.
    if (namesOf(value['match']).length === 0) return severities;
  }
  if (kinds.some((kind) => WARNING_KINDS.includes(kind))) severities.add('warning');
  if (kinds.some((kind) => !WARNING_KINDS.includes(kind))) severities.add('error');
  return severities;
}

/** The index of the rule that ignores every job of `match` with this kind, unless a rule before it may say otherwise. */
function ignoringRule(match: Match, kind: string, rules: readonly LooseEntry[]): number | undefined {
  for (const { index, value } of rules) {
    const ruleMatch = mappingAt(value, 'match');
    if (textsAt(ruleMatch, 'kind')?.includes(kind) === false) continue;
    if (value['ignore'] === false) return undefined;
    if (value['ignore'] === true && covers(ruleMatch, match)) return index;
  }
  return undefined;
}

/** Is a rule for every job that a match is for? */
function covers(ruleMatch: Match, match: Match): boolean {
  return JOB_FIELDS.every((field) => {
    const patterns = textsAt(ruleMatch, field);
    if (patterns === undefined) return true;
    const wanted = textsAt(match, field);
    return wanted?.every((one) => patterns.some((pattern) => patternCovers(pattern, one))) ?? false;
  });
}
