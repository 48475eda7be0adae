import { addMs, compareInstants, isAfter, stepName } from '@tocsin/alert-model';
import type { AlertState } from '@tocsin/alert-model';
import { formatDuration } from '@tocsin/runtime';
import { counted, listed } from '../printing/lines.ts';
import type { AlertFacts, NextAction } from './alert-explanation.ts';
import { conditionActions } from './condition-actions.ts';

/** Steps named one by one; the others are counted. */
const namedStepsMax = 8;

/** What will happen to an alert, soonest first; then what it waits for. Never empty. */
export const nextActions = (facts: AlertFacts): readonly NextAction[] => {
  const actions = [
    ...digestActions(facts),
    ...attemptActions(facts),
    ...escalationActions(facts),
    ...leaseActions(facts),
    ...strayActions(facts),
    ...conditionActions(facts),
  ];
  const timed = actions.filter(({ at }) => at !== null).toSorted((a, b) => compareInstants(a.at ?? '', b.at ?? ''));
  const untimed = [...actions.filter(({ at }) => at === null), ...recoveryActions(facts.state)];
  const late = timed.some(({ at }) => at !== null && !isAfter(at, facts.now));
  const idle: readonly NextAction[] =
    late && !facts.notifierAlive
      ? [
          {
            at: null,
            what: 'what is due waits for a notifier: none has given a sign of life in the last minute. Start one: npx tocsin notifier',
          },
        ]
      : [];
  const all = [...timed, ...idle, ...untimed];
  return all.length > 0
    ? all
    : [{ at: null, what: 'nothing: it is resolved, and everybody who was told of the failure knows' }];
};

const digestActions = ({ digests, state, now }: AlertFacts): readonly NextAction[] =>
  digests
    .filter((digest) => digest.state === 'open' && digest.id in state.batches)
    .map(({ route, purpose, dueAt, channels }) => {
      const name = purpose === 'window' ? `the digest of route ${route}` : `the ${purpose} message of route ${route}`;
      const late = isAfter(dueAt, now) ? '' : ', as soon as a notifier gets to it';
      return { at: dueAt, what: `${name} goes out to ${listed(channels)}${late}` };
    });

const attemptActions = ({ deliveries }: AlertFacts): readonly NextAction[] =>
  deliveries.flatMap(({ delivery: { state, attempts, channel, nextAttemptAt, lastReason } }): readonly NextAction[] => {
    if (nextAttemptAt === null) return [];
    if (state === 'attempting')
      return [
        {
          at: nextAttemptAt,
          what: `attempt ${attempts} on ${channel} is under way; without an answer by then it counts as unknown`,
        },
      ];
    const why = lastReason === null ? '' : ` (the last one: ${state === 'unknown' ? 'unknown, ' : ''}${lastReason})`;
    const same = state === 'unknown' ? ', with the same Message-ID' : '';
    return [{ at: nextAttemptAt, what: `attempt ${attempts + 1} on ${channel}${same}${why}` }];
  });

/** The clock of an escalation runs from the moment since which people know of it and nobody has it (see `effectsOf`). */
const escalationActions = ({ state }: AlertFacts): readonly NextAction[] => {
  if (state.state === 'resolved' || state.acknowledgement !== null || state.escalationLevel > 0) return [];
  const since = state.unansweredSince;
  return state.routes.flatMap(({ name, escalation }): readonly NextAction[] => {
    if (escalation === null) return [];
    const { name: level, channels, afterMs } = escalation;
    if (since !== null && state.told.some((told) => told.route === name && told.purpose !== 'escalation'))
      return [
        { at: addMs(since, afterMs), what: `escalates to ${level} (${listed(channels)}) unless it is acknowledged` },
      ];
    const waiting = name in state.pending || Object.values(state.batches).some(({ route }) => route === name);
    if (!waiting) return [];
    const after = formatDuration(afterMs);
    return [
      {
        at: null,
        what: `escalates to ${level} ${after} after the first channel has accepted the message, unless it is acknowledged`,
      },
    ];
  });
};

const leaseActions = ({ state }: AlertFacts): readonly NextAction[] => {
  const held = state.acknowledgement;
  if (held === null || state.state === 'resolved') return [];
  switch (held.lease.until) {
    case 'time':
      return [
        {
          at: held.lease.at,
          what: `the acknowledgement of ${held.by} ends; if it still fails then, people are told whose it was`,
        },
      ];
    case 'signature-change':
      return [
        {
          at: null,
          what: `${held.by} has it until it succeeds; when it fails for another reason, people are told again`,
        },
      ];
    case 'success':
      return [{ at: null, what: `${held.by} has it until it succeeds; what fails meanwhile is recorded and not told` }];
    default:
      return held.lease satisfies never;
  }
};

const strayActions = ({ state }: AlertFacts): readonly NextAction[] => {
  const pending = Object.keys(state.pending);
  if (pending.length === 0) return [];
  if (state.state === 'acknowledged')
    return [{ at: null, what: 'what came since is told when the acknowledgement ends, or with the resolution' }];
  return [
    {
      at: null,
      what: `news for ${counted(pending.length, 'route')} (${listed(pending)}) sits in no digest; a notifier puts it into one within 15 min`,
    },
  ];
};

/** What has to succeed before the alert resolves. */
const recoveryActions = (state: AlertState): readonly NextAction[] => {
  if (state.state === 'resolved') return [];
  const unpaid = Object.entries(state.owed).filter(
    ([name, { failedAt }]) =>
      !Object.values(state.successes).some(
        (finished) => Object.hasOwn(finished, name) && isAfter(finished[name] ?? '', failedAt),
      ),
  );
  const names = unpaid.map(([name]) => name);
  if (state.owedUntracked > 0) {
    const targets = counted(state.owedUntracked, 'further target');
    return [
      {
        at: null,
        what: `too many targets failed to follow them all (${targets}): resolve it by hand when all is fine`,
      },
    ];
  }
  if (names.length > 0) return [{ at: null, what: `waits for: success of ${listed(names, namedStepsMax)}` }];
  // It resolves by itself when its conditions end; those are named before.
  if (Object.keys(state.suspicions).length > 0) return [];
  const steps = state.chain?.steps?.map(stepName) ?? [];
  return [
    {
      at: null,
      what: `waits for: one whole run of chain ${state.chain?.name ?? ''}${steps.length === 0 ? '' : ` (${listed(steps, namedStepsMax)})`}`,
    },
  ];
};
