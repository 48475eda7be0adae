import type { Development } from './alert-state.ts';
import type { Fragment } from './digest-fragment.ts';
import { alertIdsPerItemMax, developmentsPerItemMax, jobsPerItemMax } from './digest-message.ts';
import type { ItemKind } from './digest-message.ts';
import type { AlertId, Instant } from './ids.ts';
import { compareInstants, earlier, later } from './instant.ts';
import { severityRank } from './policy.ts';
import type { Severity } from './policy.ts';

/** An item of a message before the texts of its failures are at hand: one alert, or several of one cause. */
export interface PlannedItem {
  readonly first: Fragment;
  readonly title: string;
  /** The worst of its alerts. */
  readonly severity: Severity;
  readonly fragments: number;
  /** At most `alertIdsPerItemMax`. */
  readonly alertIds: readonly AlertId[];
  readonly failures: number;
  readonly occurrences: number;
  /** How many of the occurrences were conditions, by kind. */
  readonly conditions: Readonly<Record<string, number>>;
  /** The latest failure of any of its alerts. */
  readonly lastFailedAt: Instant;
  /** Of several alerts: how the oldest ended, at the time when all had. */
  readonly resolution: Fragment['resolution'];
  readonly causes: readonly PlannedCause[];
  /** Causes that are not among them. */
  readonly moreCauses: number;
  /** What became of jobs, oldest first; the newest of all its alerts. */
  readonly developments: readonly Development[];
  readonly moreDevelopments: number;
  /** Failures to load as samples: alert and version in its stream. */
  readonly samples: readonly { readonly alertId: AlertId; readonly version: number }[];
}

export interface PlannedCause {
  readonly signature: string;
  readonly count: number;
  readonly firstAt: Instant;
  readonly lastAt: Instant;
}

/**
 * Folds alerts of the same kind, job type and only cause into one item; chains and mixed causes stand alone, and so does
 * what is told of one alert only: who had it, when it was resolved before, how often it came and went.
 */
export const foldByJobType = (fragments: readonly Fragment[]): PlannedItem[] => {
  const groups = new Map<string, Fragment[]>();
  for (const fragment of fragments) {
    const { batch } = fragment;
    const folds =
      fragment.chain === null &&
      batch.causes.length === 1 &&
      fragment.predecessor === null &&
      fragment.acknowledgedBy === null &&
      fragment.flapping === null;
    join(
      groups,
      folds
        ? [
            fragment.kind,
            fragment.severity,
            fragment.source,
            fragment.jobType,
            batch.causes[0]?.signature,
            fragment.resolution?.reason,
            batch.severityBefore,
            ...whose(fragment),
            ...new Set(batch.developments.map(({ what }) => what)),
          ].join('\n')
        : fragment.alertId,
      fragment,
    );
  }
  return [...groups.values()].map((members) => planItem(members, members[0] as Fragment));
};

/** Folds alerts of the same kind and most frequent cause into one item, whatever their job types and severities. */
export const foldByCause = (fragments: readonly Fragment[]): PlannedItem[] => {
  const groups = new Map<string, Fragment[]>();
  for (const fragment of fragments)
    join(
      groups,
      [fragment.kind, fragment.resolution?.reason, mainCause(fragment)?.signature, ...whose(fragment)].join('\n'),
      fragment,
    );
  return [...groups.values()].map((members) => {
    // Beside a main cause the others of an alert are noise; one alert that stands alone keeps all of its own.
    const narrowed = members.length === 1 ? members : members.map(onlyMainCause);
    return planItem(narrowed, narrowed[0] as Fragment);
  });
};

/** Alerts are not folded where the reader is told of a person or a level, and it is not the same for all of them. */
const whose = ({ batch: { escalation, lapse, unsilenced } }: Fragment): readonly unknown[] => [
  ...(escalation === null ? [] : [escalation.name, escalation.level, escalation.repeat]),
  ...(lapse === null ? [] : [lapse.by, lapse.reason]),
  ...(unsilenced === null ? [] : [unsilenced.by, unsilenced.reason, unsilenced.endedBy]),
];

const join = (groups: Map<string, Fragment[]>, name: string, fragment: Fragment): void => {
  const group = groups.get(name);
  if (group === undefined) groups.set(name, [fragment]);
  else group.push(fragment);
};

/** The most frequent cause of its news; undefined when it names none. */
export const mainCause = ({ batch }: Fragment): Fragment['batch']['causes'][number] | undefined =>
  batch.causes.length < 2 ? batch.causes[0] : batch.causes.toSorted((a, b) => b.count - a.count)[0];

const onlyMainCause = (fragment: Fragment): Fragment => {
  const main = mainCause(fragment);
  return main === undefined || fragment.batch.causes.length === 1
    ? fragment
    : { ...fragment, batch: { ...fragment.batch, causes: [main] } };
};

const planItem = (members: readonly Fragment[], sample: Fragment): PlannedItem => {
  const ordered = members.length === 1 ? members : members.toSorted(byAge);
  const first = ordered[0] ?? sample;
  const developments = members
    .flatMap(({ batch }) => batch.developments)
    .toSorted((a, b) => compareInstants(a.at, b.at) || compareText(a.jobId, b.jobId));
  const single = members.length === 1;
  return {
    first,
    title: single ? first.title : titleOf(members),
    severity: members.reduce<Severity>(
      (worst, { severity }) => (severityRank[severity] > severityRank[worst] ? severity : worst),
      first.severity,
    ),
    fragments: members.length,
    alertIds: ordered.slice(0, alertIdsPerItemMax).map(({ alertId }) => alertId),
    failures: members.reduce((sum, { batch }) => sum + batch.failures, 0),
    occurrences: members.reduce((sum, { occurrences }) => sum + occurrences, 0),
    conditions: sumByKind(members),
    lastFailedAt: members.reduce((last, fragment) => later(last, fragment.lastFailedAt), first.lastFailedAt),
    resolution: resolutionOf(members, first),
    causes: single ? first.batch.causes.map(plainCause) : foldedCause(members),
    moreCauses: single ? first.batch.otherCauses : 0,
    developments: developments.slice(-developmentsPerItemMax),
    moreDevelopments: Math.max(0, developments.length - developmentsPerItemMax),
    samples: single ? samplesOf(first) : spread(ordered).flatMap((fragment) => samplesOf(fragment).slice(-1)),
  };
};

const resolutionOf = (members: readonly Fragment[], { resolution }: Fragment): Fragment['resolution'] =>
  resolution === null
    ? null
    : {
        ...resolution,
        resolvedAt: members.reduce(
          (last, member) => later(last, member.resolution?.resolvedAt ?? last),
          resolution.resolvedAt,
        ),
      };

const byAge = (a: Fragment, b: Fragment): number =>
  compareInstants(a.since, b.since) || compareText(a.alertId, b.alertId);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Names two job types at most: "apple/import", "apple/import, apple/export and 3 more". */
const titleOf = (members: readonly Fragment[]): string => {
  const counts = countByJobType(members);
  const names = counts
    .slice(0, counts.length === 2 ? 2 : titlesNamedMax)
    .map(({ source, jobType }) => `${source}/${jobType}`);
  const more = counts.length - names.length;
  if (more > 0) return `${names.join(', ')} and ${more} more job types`;
  return names.join(' and ');
};
const titlesNamedMax = 1;

/** How many alerts of each job type there are, most first. */
export const countByJobType = (
  fragments: readonly Fragment[],
): readonly { readonly source: string; readonly jobType: string; readonly alerts: number }[] => {
  const counts = new Map<string, { source: string; jobType: string; alerts: number }>();
  for (const { source, jobType } of fragments) {
    const name = `${source}\n${jobType}`;
    const known = counts.get(name);
    if (known === undefined) counts.set(name, { source, jobType, alerts: 1 });
    else known.alerts += 1;
  }
  return [...counts.values()].toSorted(
    (a, b) => b.alerts - a.alerts || compareText(a.source, b.source) || compareText(a.jobType, b.jobType),
  );
};

const plainCause = ({ signature, count, firstAt, lastAt }: PlannedCause): PlannedCause => ({
  signature,
  count,
  firstAt,
  lastAt,
});

/** All of one cause, or none has any. */
const foldedCause = (members: readonly Fragment[]): readonly PlannedCause[] => {
  let folded: PlannedCause | null = null;
  for (const { batch } of members) {
    const [cause] = batch.causes;
    if (cause === undefined) continue;
    folded =
      folded === null
        ? plainCause(cause)
        : {
            signature: folded.signature,
            count: folded.count + cause.count,
            firstAt: earlier(folded.firstAt, cause.firstAt),
            lastAt: later(folded.lastAt, cause.lastAt),
          };
  }
  return folded === null ? [] : [folded];
};

const sumByKind = (members: readonly Fragment[]): Readonly<Record<string, number>> => {
  const sums: Record<string, number> = {};
  for (const { conditions } of members)
    for (const [kind, count] of Object.entries(conditions)) sums[kind] = (sums[kind] ?? 0) + count;
  return sums;
};

/** As many as jobs are listed: first one of each job type, then the oldest. */
const spread = (ordered: readonly Fragment[]): readonly Fragment[] => {
  const chosen = new Set<Fragment>();
  const types = new Set<string>();
  for (const fragment of ordered) {
    if (chosen.size >= jobsPerItemMax) break;
    const type = `${fragment.source}\n${fragment.jobType}`;
    if (types.has(type)) continue;
    types.add(type);
    chosen.add(fragment);
  }
  for (const fragment of ordered) {
    if (chosen.size >= jobsPerItemMax) break;
    chosen.add(fragment);
  }
  return [...chosen].toSorted(byAge);
};

/** Samples of one alert, spread over its causes. */
const samplesOf = (fragment: Fragment): { alertId: AlertId; version: number }[] => {
  const perCause = Math.max(1, Math.floor(jobsPerItemMax / Math.max(1, fragment.batch.causes.length)));
  return fragment.batch.causes
    .flatMap((cause) => cause.samples.slice(-perCause))
    .slice(0, jobsPerItemMax)
    .map((version) => ({ alertId: fragment.alertId, version }));
};

/** Most urgent first: what a person must do something about, what is new, what has changed, what is over. */
export const kindRank: Readonly<Record<ItemKind, number>> = {
  escalated: 0,
  lapsed: 1,
  settled: 2,
  flapping: 3,
  new: 4,
  regressed: 5,
  worse: 6,
  again: 7,
  unsilenced: 8,
  update: 9,
  open: 10,
  recovered: 11,
  resolved: 12,
};

export const byUrgency = (a: PlannedItem, b: PlannedItem): number =>
  kindRank[a.first.kind] - kindRank[b.first.kind] ||
  severityRank[b.severity] - severityRank[a.severity] ||
  b.failures - a.failures ||
  b.occurrences - a.occurrences ||
  compareInstants(a.first.since, b.first.since) ||
  compareText(a.title, b.title) ||
  compareText(a.first.alertId, b.first.alertId);
