import type { AlertState, Batch } from './alert-state.ts';
import { emptyBatch, mergeBatches } from './batch.ts';
import { without } from './burden.ts';
import { climbed, stepBack } from './climb-ladder.ts';
import type { EventNamed } from './event.ts';
import { InvariantError } from './invariant-error.ts';
import { isSilenced } from './may-tell.ts';
import { ownValue } from './own-value.ts';
import { putBack, tellRoutes } from './tell-routes.ts';

/** A silence mutes the alert: its news in digests that were not sealed waits again, and escalations in them never were. */
export const alertSilenced = (state: AlertState, { data }: EventNamed<'AlertSilenced'>): AlertState => {
  const { silenceId, by, reason, end, withdrawn } = data;
  let { batches, pending, escalations } = state;
  for (const digestId of withdrawn) {
    const entry = batches[digestId];
    if (entry === undefined) continue;
    batches = without(batches, digestId);
    if (entry.purpose === 'escalation') escalations = stepBack(escalations, entry);
    else pending = putBack(pending, entry);
  }
  return {
    ...state,
    silences: { ...state.silences, [silenceId]: { by, reason, end } },
    batches,
    pending,
    ...climbed(escalations),
  };
};

/**
 * A silence is over: with the last of them, the news there is says that it happened under one.
 *
 * @throws InvariantError when no such silence mutes the alert: the log is damaged or a decision has a bug
 */
export const alertUnsilenced = (state: AlertState, { data }: EventNamed<'AlertUnsilenced'>): AlertState => {
  const mute = ownValue(state.silences, data.silenceId);
  if (mute === undefined) throw new InvariantError(`Alert ${state.id} is not muted by silence ${data.silenceId}.`);
  const unmuted = { ...state, silences: without(state.silences, data.silenceId) };
  if (isSilenced(unmuted)) return unmuted;
  const news = { ...emptyBatch, unsilenced: { by: mute.by, reason: mute.reason, endedBy: data.by } };
  const isUntold =
    state.told.length === 0 && Object.keys(state.pending).length === 0 && Object.keys(state.batches).length === 0;
  if (isUntold) return tellRoutes(unmuted, news);
  const pending: Record<string, Batch> = {};
  for (const [route, batch] of Object.entries(state.pending)) pending[route] = mergeBatches(batch, news);
  return { ...unmuted, pending };
};
