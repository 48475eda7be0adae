import { createMachine, initialTransition, transition } from 'xstate';
import type { AlertEventType } from './event.ts';
import type { LifecycleState } from './alert-state.ts';
import { InvariantError } from './invariant-error.ts';

/**
 * The lifecycle of an alert.
 *
 * - **detected**: it has news that sits in no digest. Left when a digest has taken everything. News of an alert that a silence
 *   mutes, or that is flapping, stays there.
 * - **batched**: all news sits in digests, and no channel has accepted all of them yet.
 * - **notified**: everything was accepted by at least one channel; the escalation clock runs.
 * - **acknowledged**: somebody owns it, as a lease. News is recorded and waits for the end of the lease or the resolution.
 * - **resolved**: fine again. Final, but for the telling of it. A later failure opens a new alert.
 *
 * The machine is driven by pure `transition` only. Where the next state depends on the folded facts, the event brings
 * the fact along as `waiting`: what the news of the alert waits for, once the event itself is folded. Its actions name
 * what has to be done outside; folding (replay) drops them, so a replay cannot send anything.
 */

/** Where the untold news of an alert is. */
export type Waiting = 'pending' | 'batched' | 'none';

/** What a transition asks of the outside world; `effectsOf` makes data of it. */
export type MachineAction = 'joinDigest' | 'scheduleEscalation' | 'scheduleLapse' | 'scheduleSettling';

type MachineState = LifecycleState | 'absent';
interface MachineEvent {
  readonly type: AlertEventType;
  readonly waiting: Waiting;
}

const waits =
  (waiting: Waiting) =>
  ({ event }: { event: MachineEvent }): boolean =>
    event.waiting === waiting;

/** To the state that follows from where the news is. */
const follow = (...actions: readonly string[]) => [
  { guard: waits('pending'), target: 'detected', actions: [...actions] },
  { guard: waits('batched'), target: 'batched', actions: [...actions] },
  { guard: waits('none'), target: 'notified', actions: [...actions] },
];
const stay = (...actions: readonly string[]) => ({ actions: actions.length === 0 ? ['record'] : [...actions] });

const open = {
  FailureDetected: { target: 'detected', actions: ['joinDigest', 'scheduleEscalation', 'scheduleSettling'] },
  SuccessDetected: stay(),
  SeverityRaised: stay('scheduleEscalation'),
  AlertBatched: follow('record'),
  AlertNotified: follow('scheduleEscalation'),
  NotificationFailed: follow('record'),
  FailureRetracted: follow('joinDigest'),
  JobRepaired: follow('joinDigest'),
  AlertEscalated: stay('joinDigest', 'scheduleEscalation'),
  AlertSilenced: follow('record'),
  AlertUnsilenced: follow('joinDigest', 'scheduleEscalation'),
  ResolutionHeld: stay('scheduleSettling'),
  FlappingEnded: follow('joinDigest', 'scheduleEscalation'),
  NotificationBounced: stay(),
  AlertAcknowledged: { target: 'acknowledged', actions: ['scheduleLapse'] },
  AlertResolved: { target: 'resolved', actions: ['joinDigest'] },
};

const machine = createMachine({
  types: {} as { events: MachineEvent },
  id: 'alert',
  initial: 'absent',
  states: {
    absent: { on: { FailureDetected: { target: 'detected', actions: ['joinDigest', 'scheduleSettling'] } } },
    detected: { on: open },
    batched: { on: open },
    notified: { on: open },
    acknowledged: {
      on: {
        FailureDetected: stay('scheduleSettling'),
        SuccessDetected: stay(),
        SeverityRaised: stay(),
        AlertBatched: stay(),
        AlertNotified: stay(),
        NotificationFailed: stay(),
        FailureRetracted: stay(),
        JobRepaired: stay(),
        AlertSilenced: stay(),
        AlertUnsilenced: stay(),
        ResolutionHeld: stay('scheduleSettling'),
        FlappingEnded: stay(),
        NotificationBounced: stay(),
        AlertUnacknowledged: follow('joinDigest', 'scheduleEscalation'),
        AcknowledgementLapsed: follow('joinDigest'),
        AlertResolved: { target: 'resolved', actions: ['joinDigest'] },
      },
    },
    resolved: {
      on: {
        AlertBatched: stay(),
        // A digest composed before the recovery was accepted after it: those who read it are owed the resolution.
        AlertNotified: stay('joinDigest'),
        NotificationFailed: stay(),
        NotificationBounced: stay(),
        ResolutionNotified: stay(),
      },
    },
  },
});

/** One arrow of the machine. */
export interface MachineTransition {
  readonly from: MachineState;
  readonly event: AlertEventType;
  readonly waiting: Waiting;
  readonly to: LifecycleState;
  readonly actions: readonly MachineAction[];
}

const states: readonly MachineState[] = ['absent', 'detected', 'batched', 'notified', 'acknowledged', 'resolved'];
const eventTypes: readonly AlertEventType[] = [
  'FailureDetected',
  'SuccessDetected',
  'SeverityRaised',
  'AlertBatched',
  'AlertNotified',
  'NotificationFailed',
  'FailureRetracted',
  'JobRepaired',
  'AlertEscalated',
  'AlertAcknowledged',
  'AlertUnacknowledged',
  'AcknowledgementLapsed',
  'AlertSilenced',
  'AlertUnsilenced',
  'ResolutionHeld',
  'FlappingEnded',
  'NotificationBounced',
  'AlertResolved',
  'ResolutionNotified',
];
const waitings: readonly Waiting[] = ['pending', 'batched', 'none'];
const outward: ReadonlySet<string> = new Set<MachineAction>([
  'joinDigest',
  'scheduleEscalation',
  'scheduleLapse',
  'scheduleSettling',
]);

/**
 * Every legal transition, computed once by running the machine. The machine has no context, so its answer depends on
 * state, event type and `waiting` alone; folding then costs a look-up instead of some 15 µs of interpretation, which is
 * what the replay budget needs.
 */
export const machineTransitions: readonly MachineTransition[] = (() => {
  const [initial] = initialTransition(machine);
  return states.flatMap((from) =>
    eventTypes.flatMap((event) =>
      waitings.flatMap((waiting): MachineTransition[] => {
        const before = from === 'absent' ? initial : machine.resolveState({ value: from });
        const [after, actions] = transition(machine, before, { type: event, waiting });
        // The machine ignores an event it has no arrow for; ignoring yields neither a new state nor an action.
        if (actions.length === 0) return [];
        return [
          {
            from,
            event,
            waiting,
            to: after.value as LifecycleState,
            actions: actions
              .map((action): string => action.type)
              .filter((type) => outward.has(type)) as MachineAction[],
          },
        ];
      }),
    ),
  );
})();

const index = new Map(machineTransitions.map((entry) => [`${entry.from} ${entry.event} ${entry.waiting}`, entry]));

/** The arrow for an event, or undefined when the event is not legal in that state. */
export const findTransition = (
  from: LifecycleState | 'absent',
  event: AlertEventType,
  waiting: Waiting,
): MachineTransition | undefined => index.get(`${from} ${event} ${waiting}`);

/** @throws InvariantError when the event is not legal in that state: the log is damaged or a decision has a bug. */
export const requireTransition = (
  from: LifecycleState | 'absent',
  event: AlertEventType,
  waiting: Waiting,
): MachineTransition => {
  const found = findTransition(from, event, waiting);
  if (found === undefined) throw new InvariantError(`${event} is not legal for an alert that is ${from}.`);
  return found;
};
