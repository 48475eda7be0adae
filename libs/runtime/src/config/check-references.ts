import type { FilePath, RuleBreach } from './describe-issue.ts';
import { type LooseEntry, listEntries, mappingAt, namesOf, textAt, textsAt } from './loose-file.ts';
import { suggestName } from './nearest-name.ts';

/** Broken rules that span two places of the file, and what is declared but never used. */
export type ReferenceCheck = { readonly breaches: readonly RuleBreach[]; readonly warnings: readonly string[] };

/**
 * Checks unique names and references to channels and escalations. `channelNames`: every name that may be used;
 * `defaultRoute`: what the route uses that is added unless one of the file takes every alert.
 */
export function checkReferences(
  data: unknown,
  channelNames: readonly string[],
  defaultRoute: { readonly channels: readonly string[]; readonly fallback: readonly string[] },
): ReferenceCheck {
  const file = mappingAt({ data }, 'data');
  const routes = listEntries(file['routes']);
  const escalationNames = namesOf(file['escalations']);
  const used = new Set<string>();
  const refer = (path: FilePath, name: string, known: readonly string[], kind: string): RuleBreach[] => {
    used.add(`${kind} ${name}`);
    return known.includes(name)
      ? []
      : [{ path, rule: `there is no ${kind} "${name}"${suggestName(name, known)}`, showsValue: false }];
  };
  const referAll = (path: FilePath, names: readonly string[]): RuleBreach[] =>
    names.flatMap((name, index) => [
      ...refer([...path, index], name, channelNames, 'channel'),
      ...(names.indexOf(name) < index
        ? [{ path: [...path, index], rule: `names the channel "${name}" twice; drop one`, showsValue: false }]
        : []),
    ]);

  const breaches = [
    ...reservedNames(file),
    ...duplicates(listEntries(file['jobs']), 'jobs', 'name', (job) => textAt(job, 'name')),
    ...duplicates(listEntries(file['jobs']), 'jobs', 'table', (job) => {
      const table = textAt(job, 'table');
      return table === undefined ? undefined : `${table} ${textAt(job, 'database_url') ?? ''}`;
    }),
    ...checkChains(listEntries(file['chains'])),
    ...duplicates(listEntries(file['schedules']), 'schedules', 'name', (schedule) => textAt(schedule, 'name')),
    ...duplicates(routes, 'routes', 'name', (route) => textAt(route, 'name')),
    ...routes.flatMap(({ index, value }) => {
      const path = ['routes', index];
      const channels = textsAt(value, 'channels') ?? [];
      const fallback = textsAt(value, 'fallback') ?? [];
      const escalation = textAt(value, 'escalation');
      return [
        ...referAll([...path, 'channels'], channels),
        ...referAll([...path, 'fallback'], fallback),
        ...fallback.flatMap((name, at) =>
          channels.includes(name)
            ? [
                {
                  path: [...path, 'fallback', at],
                  rule: `"${name}" is in channels already, so it cannot stand in for itself`,
                  showsValue: false,
                },
              ]
            : [],
        ),
        ...(escalation === undefined ? [] : refer([...path, 'escalation'], escalation, escalationNames, 'escalation')),
      ];
    }),
    ...escalationNames.flatMap((name) => {
      const path = ['escalations', name];
      const escalation = mappingAt(file['escalations'], name);
      return [
        ...referAll([...path, 'channels'], textsAt(escalation, 'channels') ?? []),
        ...listEntries(escalation['levels']).flatMap(({ index, value }) =>
          referAll([...path, 'levels', index, 'channels'], textsAt(value, 'channels') ?? []),
        ),
      ];
    }),
    ...duplicates(listEntries(file['silences']), 'silences', 'name', (silence) => textAt(silence, 'name')),
  ];

  if (!routes.some(({ value }) => isMatchless(value))) {
    for (const name of [...defaultRoute.channels, ...defaultRoute.fallback]) used.add(`channel ${name}`);
  }
  const unusedChannels = namesOf(file['channels']).filter((name) => !used.has(`channel ${name}`));
  const unusedEscalations = escalationNames.filter((name) => !used.has(`escalation ${name}`));
  const warnings = [
    ...unusedChannels.map((name) => `The channel "${name}" is declared, but no route or escalation uses it.`),
    ...unusedEscalations.map((name) => `The escalation "${name}" is declared, but no route uses it.`),
  ];
  return { breaches, warnings };
}

/** Does this route, as written, take every alert? */
export function isMatchless(route: Readonly<Record<string, unknown>>): boolean {
  return route['match'] === undefined || (namesOf(route['match']).length === 0 && typeof route['match'] === 'object');
}

function duplicates(
  entries: readonly LooseEntry[],
  section: string,
  key: string,
  identityOf: (value: Readonly<Record<string, unknown>>) => string | undefined,
): readonly RuleBreach[] {
  const first = new Map<string, number>();
  return entries.flatMap(({ index, value }): RuleBreach[] => {
    const identity = identityOf(value);
    if (identity === undefined) return [];
    const earlier = first.get(identity);
    if (earlier === undefined) {
      first.set(identity, index);
      return [];
    }
    const shown = JSON.stringify(textAt(value, key));
    return [
      {
        path: [section, index, key],
        rule: `the ${key} ${shown} is taken by ${section}[${earlier}] already`,
        showsValue: false,
      },
    ];
  });
}

/** A job may belong to one step of one chain only, else one failure would be two problems. */
function checkChains(chains: readonly LooseEntry[]): readonly RuleBreach[] {
  const steps = chains.flatMap((chain) =>
    listEntries(chain.value['steps']).map((step) => ({
      path: ['chains', chain.index, 'steps', step.index, 'job_type'] as const,
      member: JSON.stringify([textAt(chain.value, 'source'), textAt(step.value, 'job_type')]),
      targets: textsAt(step.value, 'targets'),
    })),
  );
  const overlapping = steps.flatMap((step, index): RuleBreach[] => {
    const earlier = steps.slice(0, index).find(({ member, targets }) => {
      const overlaps =
        targets === undefined || step.targets === undefined || targets.some((target) => step.targets?.includes(target));
      return member === step.member && overlaps;
    });
    if (earlier === undefined) return [];
    const where = `chains[${earlier.path[1]}].steps[${earlier.path[3]}]`;
    return [
      {
        path: step.path,
        rule: `these jobs belong to ${where} already; give the two steps different targets`,
        showsValue: true,
      },
    ];
  });
  const named = duplicates(chains, 'chains', 'name', (chain) =>
    JSON.stringify([textAt(chain, 'source'), textAt(chain, 'name')]),
  );
  return [...named, ...overlapping];
}

/** Names that Tocsin uses for its own failures: as watched table, route and channel. */
const RESERVED_NAMES: Readonly<Record<'jobs' | 'routes' | 'channels', readonly string[]>> = {
  jobs: ['tocsin', 'tocsin_canary'],
  routes: ['tocsin_canary'],
  channels: ['tocsin_canary'],
};

function reservedNames(file: Readonly<Record<string, unknown>>): RuleBreach[] {
  const rule = 'Tocsin uses this name for itself; choose another one';
  return [
    ...(['jobs', 'routes'] as const).flatMap((section) =>
      listEntries(file[section]).flatMap(({ index, value }): RuleBreach[] =>
        RESERVED_NAMES[section].includes(textAt(value, 'name') ?? '')
          ? [{ path: [section, index, 'name'], rule, showsValue: true }]
          : [],
      ),
    ),
    ...namesOf(file['channels'])
      .filter((name) => RESERVED_NAMES.channels.includes(name))
      .map((name): RuleBreach => ({ path: ['channels', name], rule, showsValue: false })),
  ];
}
