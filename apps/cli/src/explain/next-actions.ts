import {
  addMs,
  compareInstants,
  escalationStep,
  isAfter,
  isSilenced,
  nextEscalations,
  recoveryOf,
  stepName,
} from '@tocsin/alert-model';
import type { AlertState, DigestState } from '@tocsin/alert-model';
import type { Delivery } from '@tocsin/event-store';
import { formatDuration } from '@tocsin/runtime';
import { stepText } from '../printing/escalation-text.ts';
import { shortId } from '../printing/job-name.ts';
import { counted, listed } from '../printing/lines.ts';
import type { AlertFacts, NextAction } from './alert-explanation.ts';
import { channelTroubleOf, troubleNames } from './channel-trouble.ts';
import { conditionActions } from './condition-actions.ts';
import { isKeptByQuietHours } from './quiet-hours.ts';

/** Steps named one by one; the others are counted. */
const namedStepsMax = 8;
/** Messages that nobody got, named one by one. */
const namedDeliveriesMax = 3;

/** What will happen to an alert, soonest first; then what it waits for. Never empty. */
export const nextActions = (facts: AlertFacts): readonly NextAction[] => {
  const actions = [
    ...digestActions(facts),
    ...attemptActions(facts),
    ...escalationActions(facts),
    ...leaseActions(facts),
    ...silenceActions(facts),
    ...settleActions(facts),
    ...strayActions(facts),
    ...conditionActions(facts),
  ];
  const timed = actions.filter(({ at }) => at !== null).toSorted((a, b) => compareInstants(a.at ?? '', b.at ?? ''));
  const untimed = [
    ...actions.filter(({ at }) => at === null),
    ...recoveryActions(facts.state),
    ...deadLetterActions(facts),
  ];
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
  return all.length > 0 ? all : [{ at: null, what: nothingMore(facts) }];
};

const nothingMore = ({ state }: AlertFacts): string =>
  state.told.length > 0
    ? 'nothing: it is resolved, and everybody who was told of the failure knows'
    : 'nothing: it is resolved, and nobody was told of it; it is on record';

const digestActions = ({ digests, state, now }: AlertFacts): readonly NextAction[] =>
  digests
    .filter((digest) => digest.state === 'open' && digest.id in state.batches)
    .map((digest) => {
      const { route: name, dueAt, channels } = digest;
      const late = isAfter(dueAt, now) ? '' : ', as soon as a notifier gets to it';
      const route = state.routes.find((one) => one.name === name);
      const quiet = route !== undefined && isKeptByQuietHours(route, dueAt) ? ', when quiet hours are over' : '';
      return { at: dueAt, what: `${digestName(digest)} goes out to ${listed(channels)}${quiet}${late}` };
    });

const digestName = ({ purpose, route }: DigestState): string => {
  switch (purpose) {
    case 'window':
    case 'heartbeat':
      return `the digest of route ${route}`;
    case 'storm':
      return `the message of the storm, with all that belongs to it, of route ${route}`;
    case 'urgent':
    case 'lapse':
    case 'escalation':
      return `the ${purpose} message of route ${route}`;
    default:
      return purpose satisfies never;
  }
};

const attemptActions = (facts: AlertFacts): readonly NextAction[] =>
  facts.deliveries.flatMap(({ delivery }): readonly NextAction[] => {
    const { state, attempts, channel, nextAttemptAt } = delivery;
    if (nextAttemptAt === null) return [];
    if (state === 'attempting')
      return [
        {
          at: nextAttemptAt,
          what: `attempt ${attempts} on ${channel} is under way; without an answer by then it counts as unknown`,
        },
      ];
    return [{ at: nextAttemptAt, what: `attempt ${attempts + 1} on ${channel}${whyThen(delivery, facts)}` }];
  });

/** Why the next attempt is when it is. A channel that was closed was not called, so there was no last attempt. */
const whyThen = ({ state, lastReason, channel }: Delivery, { channels, now }: AlertFacts): string => {
  const known = channels.find((one) => one.channel === channel);
  const trouble = known === undefined ? null : channelTroubleOf(known, now);
  const same = state === 'unknown' ? ', with the same Message-ID' : '';
  switch (lastReason) {
    case null:
      return same;
    case 'by-hand':
      return `${same}, because somebody asked for it`;
    case 'throttled':
      return `${same} (it waits for its turn: the channel may send only so much)`;
    case 'parked':
    case 'circuit-open':
      return `${same} (it waits: the channel ${troubleNames[lastReason]}${trouble === null ? '' : `, ${trouble.detail}`})`;
    default:
      return `${same} (the last one: ${state === 'unknown' ? 'unknown, ' : ''}${lastReason})`;
  }
};

/** The clock of an escalation runs from the moment since which people know of it and nobody has it (see `effectsOf`). */
const escalationActions = ({ state }: AlertFacts): readonly NextAction[] => {
  if (state.state === 'resolved' || state.acknowledgement !== null || isSilenced(state)) return [];
  const running = nextEscalations(state);
  return state.routes.flatMap(({ name, escalation }): readonly NextAction[] => {
    if (escalation === null) return [];
    const next = running.find(({ route }) => route === name);
    if (next !== undefined)
      return [{ at: next.at, what: `${stepText(escalation, next.step)} unless it is acknowledged` }];
    const waiting = name in state.pending || Object.values(state.batches).some(({ route }) => route === name);
    const first = escalationStep(escalation, 1, state.severity);
    if (!waiting || first === null || state.told.some(({ route }) => route === name)) return [];
    return [
      {
        at: null,
        what: `${stepText(escalation, first)} ${first.afterMs === 0 ? 'as soon as' : `${formatDuration(first.afterMs)} after`} the first channel has accepted the message, unless it is acknowledged`,
      },
    ];
  });
};

const leaseActions = ({ state }: AlertFacts): readonly NextAction[] => {
  const held = state.acknowledgement;
  if (held === null || state.state === 'resolved') return [];
  const { by, lease, failures } = held;
  switch (lease.until) {
    case 'time':
      return [
        {
          at: lease.at,
          what: `the acknowledgement of ${by} ends; if it still fails then, people are told whose it was`,
        },
      ];
    case 'signature-change':
      return [
        { at: null, what: `${by} has it until it succeeds; when it fails for another reason, people are told again` },
      ];
    case 'success':
      return [{ at: null, what: `${by} has it until it succeeds; what fails meanwhile is recorded and not told` }];
    case 'failures':
      return [
        {
          at: null,
          what: `${by} has it until it succeeds; after ${counted(Math.max(1, lease.count - failures), 'more failure')} (${failures} of ${lease.count} so far) people are told again`,
        },
      ];
    default:
      return lease satisfies never;
  }
};

const silenceActions = ({ state }: AlertFacts): readonly NextAction[] =>
  state.state === 'resolved'
    ? []
    : Object.entries(state.silences).map(([id, mute]) =>
        mute.end.until === 'time'
          ? {
              at: mute.end.at,
              what: `silence ${shortId(id)} of ${mute.by} ends; what happened under it is told if it still matters`,
            }
          : {
              at: null,
              what: `silence ${shortId(id)} of ${mute.by} mutes it until it is resolved. End it before: npx tocsin silences end ${shortId(id)}`,
            },
      );

const settleActions = ({ state: { flapping, resolution } }: AlertFacts): readonly NextAction[] => {
  if (flapping === null || resolution !== null) return [];
  const { heldUntil, failingSince, holdMs } = flapping;
  return heldUntil === null
    ? [
        {
          at: addMs(failingSince, holdMs),
          what: 'it has settled if it goes on failing until then: people are told, and it flaps no more',
        },
      ]
    : [{ at: heldUntil, what: 'it is resolved if it stays fine until then, and people are told' }];
};

const strayActions = ({ state }: AlertFacts): readonly NextAction[] => {
  const pending = Object.keys(state.pending);
  if (pending.length === 0) return [];
  if (state.state === 'acknowledged')
    return [{ at: null, what: 'what came since is told when the acknowledgement ends, or with the resolution' }];
  // The end of the silence is named with its time.
  if (state.state !== 'resolved' && isSilenced(state)) return [];
  if (state.flapping !== null && state.resolution === null && state.next.action !== 'rejoin')
    return [{ at: null, what: 'what came since is told when it has settled' }];
  return [
    {
      at: null,
      what: `news for ${counted(pending.length, 'route')} (${listed(pending)}) sits in no digest; a notifier puts it into one within 15 min`,
    },
  ];
};

/** What has to succeed before the alert resolves. */
const recoveryActions = (state: AlertState): readonly NextAction[] => {
  // A flapping alert may be fine and not resolved yet: that has its time.
  if (state.state === 'resolved' || recoveryOf(state) !== null) return [];
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

/** Nothing happens by itself to a message that was given up and that no other channel took over. */
const deadLetterActions = ({ deliveries }: AlertFacts): readonly NextAction[] => {
  const heirs = new Set(deliveries.flatMap(({ delivery }) => delivery.fallbackOf ?? []));
  const dead = deliveries.filter(({ delivery }) => delivery.state === 'rejected' && !heirs.has(delivery.id));
  const named = dead.slice(-namedDeliveriesMax).map(({ delivery: { id, channel, lastReason } }): NextAction => ({
    at: null,
    what: `the message to ${channel} was given up${lastReason === null ? '' : ` (${lastReason})`}. Send it again: npx tocsin deliveries retry ${shortId(id)}`,
  }));
  const rest = dead.length - named.length;
  return rest > 0
    ? [...named, { at: null, what: `${counted(rest, 'further message')} given up: npx tocsin deliveries list` }]
    : named;
};
