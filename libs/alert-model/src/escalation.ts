import type { AlertState } from './alert-state.ts';
import type { Instant } from './ids.ts';
import { addMs } from './instant.ts';
import { ownValue } from './own-value.ts';
import type { FrozenEscalation, Severity } from './policy.ts';

/** One step of a ladder: a level, or a repetition after the last of them. */
export interface EscalationStep {
  /** Its number from 1: the levels in their order, then the repetitions. */
  readonly step: number;
  /** Which repetition it is; 0 for a level. */
  readonly repeat: number;
  /** When it is due, in milliseconds since people know of the alert and nobody has taken it. */
  readonly afterMs: number;
  readonly channels: readonly string[];
}

/**
 * The step of a ladder, or the next one after it that tells anybody: a level that is not for the severity is skipped. A
 * repetition tells the channels of every level that is for it. null when there is no such step.
 *
 * @param step from 1
 * @param severity what the alert has now
 */
export const escalationStep = (
  escalation: FrozenEscalation,
  step: number,
  severity: Severity,
): EscalationStep | null => {
  const { levels, repeat } = escalation;
  for (let number = Math.max(1, step); number <= levels.length; number += 1) {
    const level = levels[number - 1];
    if (level !== undefined && isFor(level.severities, severity))
      return { step: number, repeat: 0, afterMs: level.afterMs, channels: level.channels };
  }
  const number = Math.max(levels.length + 1, step);
  const repetition = number - levels.length;
  if (repeat === null || repetition > repeat.times) return null;
  const channels = [...new Set(levels.flatMap((level) => (isFor(level.severities, severity) ? level.channels : [])))];
  return channels.length === 0
    ? null
    : { step: number, repeat: repetition, afterMs: afterMsOf(escalation, number), channels };
};

/** When a step is due, whoever it is for: in milliseconds since the clock started. */
export const afterMsOf = ({ levels, repeat }: FrozenEscalation, step: number): number => {
  const level = levels[step - 1] ?? levels.at(-1);
  return (level?.afterMs ?? 0) + Math.max(0, step - levels.length) * (repeat?.everyMs ?? 0);
};

/** Which repetition a step is; 0 for a level. */
export const repeatOf = ({ levels }: FrozenEscalation, step: number): number => Math.max(0, step - levels.length);

/**
 * The step that each route of an alert climbs next, and when: on routes that told of it, while its clock runs. Empty while
 * nobody is to be told: it is resolved, acknowledged, muted by a silence, or flapping and fine at the moment.
 */
export const nextEscalations = (
  state: Pick<
    AlertState,
    | 'routes'
    | 'told'
    | 'severity'
    | 'unansweredSince'
    | 'escalations'
    | 'acknowledgement'
    | 'resolution'
    | 'silences'
    | 'flapping'
  >,
): readonly { readonly route: string; readonly step: EscalationStep; readonly at: Instant }[] => {
  const { unansweredSince, severity } = state;
  if (unansweredSince === null || whyNotEscalated(state) !== null) return [];
  return state.routes.flatMap(({ name, escalation }) => {
    if (escalation === null || !state.told.some(({ route }) => route === name)) return [];
    const step = escalationStep(escalation, (ownValue(state.escalations, name)?.step ?? 0) + 1, severity);
    return step === null ? [] : [{ route: name, step, at: addMs(unansweredSince, step.afterMs) }];
  });
};

/** Why nobody further is told of the alert as it stands, in words; null when somebody may be. */
export const whyNotEscalated = (
  state: Pick<AlertState, 'acknowledgement' | 'resolution' | 'silences' | 'flapping'>,
): string | null => {
  if (state.resolution !== null) return 'it is resolved';
  if (state.acknowledgement !== null) return `it is acknowledged by ${state.acknowledgement.by}`;
  const mute = Object.values(state.silences)[0];
  if (mute !== undefined) return `it is silenced by ${mute.by}`;
  const heldUntil = state.flapping?.heldUntil ?? null;
  return heldUntil === null ? null : `it is flapping and fine at the moment, until ${heldUntil} at least`;
};

const isFor = (severities: readonly Severity[] | null, severity: Severity): boolean =>
  severities === null || severities.includes(severity);
