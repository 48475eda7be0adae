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

/** The transitions as a Markdown table: states that treat an event alike share a row. */
export const renderMachineTable = (): string => {
  const all = arrows();
  const rows = Map.groupBy(all, (arrow) => [arrow.event, arrow.guard, destination(arrow, all), ...arrow.actions].join('\n'));
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
  arrow.to === arrow.from && !all.some((other) => other !== arrow && other.event === arrow.event && other.guard === arrow.guard && other.to === arrow.to)
    ? 'the same state'
    : arrow.to;

/** What each action asks of the outside, in plain words. */
const requests: Readonly<Record<MachineAction, string>> = {
  joinDigest: 'a place in a digest',
  scheduleEscalation: 'the escalation clock',
  scheduleLapse: 'the end of the lease',
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
  const groups = Map.groupBy(machineTransitions, ({ from, event, to, actions }) => [from, event, to, ...actions].join(' '));
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
