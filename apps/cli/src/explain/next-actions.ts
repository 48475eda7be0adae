import { addMs, compareInstants, isAfter, stepName } from '@tocsin/alert-model';
import type { AlertState, DomainEvent } from '@tocsin/alert-model';
import { formatDuration } from '@tocsin/runtime';
import { counted, listed } from '../printing/lines.ts';
import type { AlertFacts, NextAction } from './alert-explanation.ts';

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

/** The clock of an escalation begins with each accepted message and runs once per digest (see `effectsOf`). */
const escalationActions = ({ state, events, now }: AlertFacts): readonly NextAction[] => {
  if (state.state === 'resolved' || state.acknowledgement !== null || state.escalationLevel > 0) return [];
  const begun = new Map<string, NextAction>();
  for (const { event } of events) {
    if (event.type !== 'AlertNotified' || event.data.purpose === 'escalation' || begun.has(event.data.digestId))
      continue;
    const { route, digestId, acceptedAt } = event.data;
    const escalation = state.routes.find(({ name }) => name === route)?.escalation ?? null;
    if (escalation === null) continue;
    const at = addMs(acceptedAt, escalation.afterMs);
    // A clock that ran out while somebody had the alert is over and does not begin again.
    if (
      !isAfter(at, now) &&
      wasHeldAt(
        events.map((moment) => moment.event),
        at,
      )
    )
      continue;
    begun.set(digestId, {
      at,
      what: `escalates to ${escalation.name} (${listed(escalation.channels)}) unless it is acknowledged`,
    });
  }
  const first = [...begun.values()].toSorted((a, b) => compareInstants(a.at ?? '', b.at ?? ''))[0];
  if (first !== undefined) return [first];
  const waiting = state.routes.find(
    ({ name, escalation }) =>
      escalation !== null &&
      (name in state.pending || Object.values(state.batches).some(({ route }) => route === name)),
  );
  if (waiting?.escalation == null) return [];
  const { name, afterMs } = waiting.escalation;
  return [
    {
      at: null,
      what: `escalates to ${name} ${formatDuration(afterMs)} after the first channel has accepted the message, unless it is acknowledged`,
    },
  ];
};

const wasHeldAt = (events: readonly DomainEvent[], at: string): boolean => {
  const last = events.findLast(
    ({ type, occurredAt }) =>
      (type === 'AlertAcknowledged' || type === 'AlertUnacknowledged' || type === 'AcknowledgementLapsed') &&
      !isAfter(occurredAt, at),
  );
  return last?.type === 'AlertAcknowledged';
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
  if (state.owedUntracked > 0) names.push(counted(state.owedUntracked, 'further target'));
  if (names.length > 0) return [{ at: null, what: `waits for: success of ${listed(names, namedStepsMax)}` }];
  const steps = state.chain?.steps?.map(stepName) ?? [];
  return [
    {
      at: null,
      what: `waits for: one whole run of chain ${state.chain?.name ?? ''}${steps.length === 0 ? '' : ` (${listed(steps, namedStepsMax)})`}`,
    },
  ];
};
