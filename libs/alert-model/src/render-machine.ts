import type { LifecycleState } from './alert-state.ts';
import type { AlertEventType } from './event.ts';
import { machineTransitions } from './machine.ts';
import type { MachineAction, MachineTransition, Waiting } from './machine.ts';

/**
 * Draws the lifecycle from the transitions the machine really has.
 *
 * @param format `mermaid`: a stateDiagram-v2, for `docs/state-machine.md` and `tocsin machine`; `json`: every single
 *   transition, for programs. Both end with a line feed and are the same every time.
 */
export const renderMachine = (format: 'mermaid' | 'json'): string =>
  format === 'json' ? `${JSON.stringify(machineTransitions, null, 2)}\n` : mermaid();

/** The whole page `docs/state-machine.md`: what each state means, the diagram and the table of transitions. */
export const renderMachinePage = (): string =>
  [
    '# The lifecycle of an alert',
    '',
    'Generated from `libs/alert-model/src/machine.ts` by `npm run gen`; do not edit by hand.',
    '',
    'An alert is the life of one problem, from its first failure to its resolution. Its state is folded from its events and',
    'nothing else. The machine says which events are legal and which state follows; it is driven by pure transitions, without',
    'clocks or actors. A deadline is a queued job that brings an event when its time has come. What a transition asks of the',
    'outside is done in the transaction that records the event; a replay drops it, so a replay sends nothing.',
    '',
    '"News" is what has still to be told of the alert: failures, its resolution, the end of an acknowledgement, that a condition',
    'holds no more, what the janitor did. For each route it sits in no digest yet, in a digest that no channel has accepted yet,',
    'or has been accepted. A silence takes news out of digests that are not sealed; news of an alert that is muted, held by',
    'somebody or flapping waits in no digest until that is over.',
    '',
    '| state | meaning | entered | left |',
    '| --- | --- | --- | --- |',
    ...Object.entries(meanings).map(
      ([state, { meaning, entered, left }]) => `| **${state}** | ${meaning} | ${entered} | ${left} |`,
    ),
    '',
    'The silences that mute it, the steps of its escalation, whether it is flapping, the causes, the conditions that hold and the',
    'work that still owes a success are facts beside the state, not states of their own. So is what happens next, and when:',
    'the fold computes it from everything else, and the second net under the timers looks for what should have happened.',
    '',
    '```mermaid',
    mermaid().trimEnd(),
    '```',
    '',
    '## Every transition',
    '',
    'An event that has no row for a state cannot follow there: a decision refuses the command with a reason, and folding such',
    'an event stops with an error, because the log is damaged.',
    '',
    renderTable(),
  ].join('\n');

const meanings: Readonly<
  Record<LifecycleState, { readonly meaning: string; readonly entered: string; readonly left: string }>
> = {
  detected: {
    meaning: 'It has news that sits in no digest.',
    entered:
      'With the first failure, with every further one, when a channel gave its news up without another one to take over, and when a silence took its news out of a digest.',
    left: 'When digests hold all its news; when somebody acknowledges it; when it is resolved.',
  },
  batched: {
    meaning: 'Digests hold all its news, and some of them no channel has accepted.',
    entered: 'When the last waiting news joined a digest.',
    left: 'When channels have accepted everything; with a new failure; when somebody acknowledges it; when it is resolved.',
  },
  notified: {
    meaning: 'Channels have accepted everything there was to tell. The escalation clock runs, but for a silence.',
    entered: 'With the acceptance that leaves nothing untold.',
    left: 'With a new failure; when a condition ended or the janitor acted; when it has stopped flapping; when somebody acknowledges it; when it is resolved. An escalation tells the next level and stays.',
  },
  acknowledged: {
    meaning: 'Somebody owns it, as a lease. News is recorded and waits.',
    entered: 'By an acknowledgement in any open state.',
    left: 'When the lease ends, by its time, by a new cause or by so many further failures; when it is given back; when it is resolved.',
  },
  resolved: {
    meaning: 'It is fine again, or an operator closed it.',
    entered:
      'When everything that failed has succeeded since and every condition has ended, or by hand. A flapping alert has to stay so for its hold.',
    left: 'Never. What remains is to tell those who were told of the failure. A later failure opens a new alert.',
  },
};

/** The transitions as a Markdown table: states that treat an event alike share a row. */
const renderTable = (): string => {
  const all = arrows();
  const rows = Map.groupBy(all, (arrow) =>
    [arrow.event, arrow.guard, destination(arrow, all), ...arrow.actions].join('\n'),
  );
  return [
    '| event | in state | when | leads to | asks for |',
    '| --- | --- | --- | --- | --- |',
    ...[...rows.values()].map((sharing) => rowOf(sharing, all)),
    '',
  ].join('\n');
};

const rowOf = (sharing: readonly Arrow[], all: readonly Arrow[]): string => {
  const [first] = sharing;
  if (first === undefined) return '';
  const from = sharing.map((arrow) => (arrow.from === 'absent' ? 'no alert yet' : arrow.from)).join(', ');
  const asks = first.actions.map((action) => requests[action]).join(', ');
  return `| ${first.event} | ${from} | ${first.guard ?? 'always'} | ${destination(first, all)} | ${asks === '' ? 'nothing' : asks} |`;
};

/** Where an arrow leads: "the same state", unless another state leads to this one too. */
const destination = (arrow: Arrow, all: readonly Arrow[]): string =>
  arrow.to === arrow.from &&
  !all.some(
    (other) => other !== arrow && other.event === arrow.event && other.guard === arrow.guard && other.to === arrow.to,
  )
    ? 'the same state'
    : arrow.to;

/** What each action asks of the outside, in plain words. */
const requests: Readonly<Record<MachineAction, string>> = {
  joinDigest: 'a place in a digest',
  scheduleEscalation: 'the escalation clock',
  scheduleLapse: 'the end of the lease',
  scheduleSettling: 'the time by which it has settled',
};

/** What `waiting` means as the guard of an arrow. */
const guards: Readonly<Record<Waiting, string>> = {
  pending: 'news sits in no digest',
  batched: 'all news sits in digests',
  none: 'all news was accepted',
};

interface Arrow {
  readonly from: MachineTransition['from'];
  readonly event: AlertEventType;
  /** null when the arrow is taken whatever the news waits for. */
  readonly guard: string | null;
  readonly to: MachineTransition['to'];
  readonly actions: readonly MachineAction[];
}

/** Transitions with the variants of `waiting` put together where they lead to the same state. */
const arrows = (): readonly Arrow[] => {
  const groups = Map.groupBy(machineTransitions, ({ from, event, to, actions }) =>
    [from, event, to, ...actions].join(' '),
  );
  return [...groups.values()].flatMap((variants): Arrow[] => {
    const [first] = variants;
    if (first === undefined) return [];
    const always = variants.length === Object.keys(guards).length;
    const guard = always ? null : variants.map(({ waiting }) => guards[waiting]).join(' or ');
    return [{ from: first.from, event: first.event, guard, to: first.to, actions: first.actions }];
  });
};

const mermaid = (): string => {
  const labels = Map.groupBy(arrows(), ({ from, to }) => `${from === 'absent' ? '[*]' : from} --> ${to}`);
  const lines = [...labels].map(([arrow, members]) => `  ${arrow}: ${labelOf(members)}`);
  return ['stateDiagram-v2', ...lines, '  resolved --> [*]', ''].join('\n');
};

/** Events with the same guard share it: `AlertBatched, NotificationFailed [all news sits in digests]`. */
const labelOf = (members: readonly Arrow[]): string =>
  [...Map.groupBy(members, ({ guard }) => guard)]
    .map(([guard, sharing]) => sharing.map(({ event }) => event).join(', ') + (guard === null ? '' : ` [${guard}]`))
    .join('<br/>');
