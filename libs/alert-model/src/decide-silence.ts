import type { AlertState, Mute } from './alert-state.ts';
import { refuse } from './decision.ts';
import type { Decision } from './decision.ts';
import type { EventNamed } from './event.ts';
import type { DigestId, Instant } from './ids.ts';
import { ownValue } from './own-value.ts';

/** A silence as an alert sees it. Whether it is meant for the alert is the caller's judgement. */
export interface Silencing extends Mute {
  readonly id: string;
}

/**
 * A silence mutes an open alert. Its news in digests that are not sealed yet is taken out of them and waits; what is on its
 * way to people goes on.
 *
 * @param openDigestIds digests that are not sealed
 */
export const decideSilence = (
  state: AlertState,
  silence: Silencing,
  openDigestIds: ReadonlySet<DigestId>,
  now: Instant,
): Decision => {
  if (state.state === 'resolved') return refuse('the alert is already resolved');
  if (Object.hasOwn(state.silences, silence.id)) return refuse(`it is already muted by this silence of ${silence.by}`);
  return { events: [silenced(state, silence, openDigestIds, now)], reason: `silenced by ${silence.by}` };
};

/**
 * A silence is over. What happened under it is told now, unless another silence goes on; where nothing happened, nothing is
 * told.
 *
 * @param cause `expired`: its time came, or the last alert it was made for was resolved; `ended`: somebody ended it
 * @param by who ended it; null when it expired
 */
export const decideUnsilence = (
  state: AlertState,
  silenceId: string,
  cause: EventNamed<'AlertUnsilenced'>['data']['cause'],
  by: string | null,
  now: Instant,
): Decision => {
  if (state.state === 'resolved') return refuse('the alert is already resolved');
  const mute = ownValue(state.silences, silenceId);
  if (mute === undefined) return refuse('this silence does not mute it');
  return {
    events: [{ type: 'AlertUnsilenced', occurredAt: now, data: { silenceId, cause, by } }],
    reason: by === null ? `the silence of ${mute.by} is over` : `${by} ended the silence of ${mute.by}`,
  };
};

/** The silences that mute an alert from this failure on, those left out that mute it already. */
export const silencedByFailure = (
  state: AlertState | null,
  silences: readonly Silencing[],
  openDigestIds: ReadonlySet<DigestId>,
  now: Instant,
): readonly EventNamed<'AlertSilenced'>[] =>
  silences
    .filter(
      ({ id }, index) =>
        !Object.hasOwn(state?.silences ?? {}, id) && silences.findIndex((other) => other.id === id) === index,
    )
    .map((silence) => silenced(state, silence, openDigestIds, now));

const silenced = (
  state: AlertState | null,
  { id, by, reason, end }: Silencing,
  openDigestIds: ReadonlySet<DigestId>,
  now: Instant,
): EventNamed<'AlertSilenced'> => ({
  type: 'AlertSilenced',
  occurredAt: now,
  data: {
    silenceId: id,
    by,
    reason,
    end,
    withdrawn: (Object.keys(state?.batches ?? {}) as DigestId[]).filter((digestId) => openDigestIds.has(digestId)),
  },
});
