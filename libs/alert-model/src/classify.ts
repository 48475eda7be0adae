import type { Instant } from './ids.ts';
import { matches } from './match.ts';
import type { Subject } from './match.ts';
import { partialWords, withinPartialLimit } from './partial-limit.ts';
import { severityRank } from './policy.ts';
import type { ChainPolicy, FrozenChain, FrozenRoute, Policy, Rule, Severity, Threshold } from './policy.ts';
import { defaultRule, groupByDefault, partialDefault } from './rule-limits.ts';
import { componentKey, componentTitle, isComponent, routesOfOwn } from './self-alerts.ts';
import { isCondition, stepIn, stepName } from './signal.ts';
import type { FailureKind, FailureSignal, Step, SuccessSignal } from './signal.ts';

/** Name of the chain that jobs with a chain run belong to when no configured chain claims them. */
export const unnamedChain = 'chain';

/** What the policy of the moment says of a failure; frozen into the alert when it opens. */
export interface Classification {
  readonly key: string;
  readonly title: string;
  readonly severity: Severity;
  /** Names of the rules that decided, for `explain`; null when no rule matched. */
  readonly rule: string | null;
  readonly chain: FrozenChain | null;
  /** Steps of the run that have not run, because of this failure or simply not yet. */
  readonly missing: readonly Step[];
  readonly routes: readonly FrozenRoute[];
  /** Holds failures back as long as no alert of the key is open; see `judgeThreshold`. Conditions are never held back. */
  readonly threshold: { readonly rule: string; readonly threshold: Threshold } | null;
}

/** A failure a rule says is not to be told. */
export interface Ignored {
  /** The rule, and for a job that succeeded in part how much of it failed: `rules[0] (1 of 1,000 parts failed)`. */
  readonly ignoredBy: string;
}

/**
 * Applies rules, chains and routes to a failure. Rules: the first that matches and sets a field decides that field.
 * Routes: every matching one takes part; one without a match always exists. Failures of Tocsin's own parts are classified
 * like others, but by rules that name their source only.
 *
 * @param now when it is, for routes that are for certain hours. Default: when the failure was read
 */
export const classifyFailure = (
  signal: FailureSignal,
  policy: Policy,
  now: Instant = signal.observedAt,
): Classification | Ignored => {
  const subject: Subject = { ...namesOfJob(signal), kind: signal.kind, adapter: policy.adapters[signal.table] ?? '' };
  const own = isComponent(signal);
  const rules = policy.rules.filter(
    (rule) => (!own || rule.match.source !== undefined) && matches(rule.match, subject),
  );
  const deciding = {
    ignore: rules.find((rule) => rule.ignore !== undefined),
    severity: rules.find((rule) => rule.severity !== undefined),
    groupBy: rules.find((rule) => rule.groupBy !== undefined),
    partial: signal.kind === 'partial' ? rules.find((rule) => rule.partial !== undefined) : undefined,
    threshold: isCondition(signal.kind) ? undefined : rules.find((rule) => rule.threshold !== undefined),
  };
  if (deciding.ignore?.ignore === true) return { ignoredBy: deciding.ignore.name };
  const { counts } = signal;
  if (
    signal.kind === 'partial' &&
    counts !== null &&
    withinPartialLimit(counts, deciding.partial?.partial ?? partialDefault)
  )
    return { ignoredBy: `${deciding.partial?.name ?? defaultRule} (${partialWords(counts)})` };
  const severity = deciding.severity?.severity ?? defaultSeverity(signal.kind);
  const chain = chainOf(signal, policy.chains);
  const frozen = chain === null ? null : freezeChain(chain, signal);
  const groupBy = own ? groupByDefault : (deciding.groupBy?.groupBy ?? groupByDefault);
  const isDuring: Subject['isDuring'] = (windows) => policy.hours.isWithin(windows, now);
  const routes = policy.routes.filter((route) => matches(route.match, { ...subject, severity, isDuring }));
  return {
    key: componentKey(signal) ?? (chain === null ? jobKey(signal, groupBy) : chainKey(signal.source, chain)),
    title: componentTitle(signal) ?? titleOf(signal, chain, groupBy),
    severity,
    rule: namesOf([deciding.severity, deciding.groupBy, deciding.partial]),
    chain: frozen,
    missing: missingSteps(signal, frozen),
    routes: routesOfOwn(signal, routes.map(freezeRoute), policy.channels),
    threshold:
      deciding.threshold?.threshold === undefined
        ? null
        : { rule: deciding.threshold.name, threshold: deciding.threshold.threshold },
  };
};

/** How bad a kind is where no rule says so: what may pass by itself is a warning, everything else an error. */
export const defaultSeverity = (kind: FailureKind): Severity =>
  kind === 'partial' || kind === 'stalled' ? 'warning' : 'error';

/**
 * Every key a success may matter to: that of its chain, of the unnamed chain of its source (a step repeated by hand
 * outside a run), and of the job itself, with and without its target: an open alert keeps its key when the rules change.
 */
export const keysOfSuccess = (signal: SuccessSignal, policy: Policy): readonly string[] => {
  const chain = chainOf(signal, policy.chains);
  return [
    ...new Set([
      ...(chain === null ? [] : [chainKey(signal.source, chain)]),
      chainKey(signal.source, unnamedChain),
      jobKey(signal, ['targetId']),
      jobKey(signal, []),
    ]),
  ];
};

const chainOf = (
  subject: {
    readonly source: string;
    readonly jobType: string;
    readonly targetId: string | null;
    readonly run: string | null;
  },
  chains: readonly ChainPolicy[],
): ChainPolicy | typeof unnamedChain | null => {
  const configured = chains.find(
    (chain) =>
      chain.source === subject.source &&
      chain.steps.some(
        (step) =>
          step.jobType === subject.jobType && (step.targets === null || step.targets.includes(subject.targetId ?? '')),
      ),
  );
  return configured ?? (subject.run === null ? null : unnamedChain);
};

const freezeChain = (chain: ChainPolicy | typeof unnamedChain, signal: FailureSignal): FrozenChain => {
  if (chain === unnamedChain) {
    const learned = signal.runContext?.learned ?? [];
    return { name: unnamedChain, steps: learned.length > 0 ? learned : null };
  }
  const steps = chain.steps.flatMap(({ jobType, targets }): Step[] =>
    targets === null ? [{ jobType, targetId: null }] : targets.map((targetId) => ({ jobType, targetId })),
  );
  return { name: chain.name, steps };
};

/**
 * Steps of a later stage that the run has not begun. A stage is a job type; stages follow each other in the order of
 * the chain's steps. Steps of the same stage as the failed one do not depend on it.
 */
const missingSteps = (signal: FailureSignal, chain: FrozenChain | null): readonly Step[] => {
  if (chain?.steps == null || signal.run === null) return [];
  const stages = [...new Set(chain.steps.map((step) => step.jobType))];
  const failedStage = stages.indexOf(signal.jobType);
  const begun = new Set(
    (signal.runContext?.steps ?? [])
      .filter((step) => step.status !== 'pending' && step.status !== 'canceled')
      .map((step) => stepName(stepIn(chain.steps, step))),
  );
  return chain.steps.filter((step) => stages.indexOf(step.jobType) > failedStage && !begun.has(stepName(step)));
};

const chainKey = (source: string, chain: ChainPolicy | typeof unnamedChain): string =>
  `chain/${part(source)}/${part(chain === unnamedChain ? unnamedChain : chain.name)}`;

const jobKey = (
  subject: { readonly source: string; readonly jobType: string; readonly targetId: string | null },
  groupBy: NonNullable<Rule['groupBy']>,
): string =>
  `job/${part(subject.source)}/${part(subject.jobType)}` +
  (groupBy.includes('targetId') && subject.targetId !== null ? `/${part(subject.targetId)}` : '');

/** Keeps the parts of a key apart even when a name holds a slash. */
const part = (text: string): string => text.replaceAll('%', '%25').replaceAll('/', '%2F');

const titleOf = (
  signal: FailureSignal,
  chain: ChainPolicy | typeof unnamedChain | null,
  groupBy: NonNullable<Rule['groupBy']>,
): string => {
  if (signal.kind === 'unhealthy') return `Watched table ${signal.targetId ?? signal.table}`;
  if (chain !== null) return `${signal.source}/${chain === unnamedChain ? unnamedChain : chain.name}`;
  const target = groupBy.includes('targetId') && signal.targetId !== null ? `/${signal.targetId}` : '';
  return `${signal.source}/${signal.jobType}${target}`;
};

const namesOf = (rules: readonly (Rule | undefined)[]): string | null => {
  const names = [...new Set(rules.flatMap((rule) => (rule === undefined ? [] : [rule.name])))];
  return names.length === 0 ? null : names.join(', ');
};

/** What an alert keeps of a route; the rest is asked of the configuration when it is needed. */
const freezeRoute = ({
  name,
  channels,
  fallback,
  windowMs,
  firstAtOnce,
  quietHours,
  breakThrough,
  escalation,
}: Policy['routes'][number]): FrozenRoute => ({
  name,
  channels: [...channels],
  fallback: [...fallback],
  windowMs,
  firstAtOnce,
  quietHours: [...quietHours],
  breakThrough: [...breakThrough],
  escalation,
});

const namesOfJob = ({ source, jobType, targetId }: FailureSignal): Subject => ({ source, jobType, targetId });

/** The worse of two severities. */
export const worse = (a: Severity, b: Severity): Severity => (severityRank[a] >= severityRank[b] ? a : b);
