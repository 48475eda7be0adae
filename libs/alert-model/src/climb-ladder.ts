import type { AlertState, Batch } from './alert-state.ts';
import { without } from './burden.ts';
import { afterMsOf, repeatOf } from './escalation.ts';
import { ownValue } from './own-value.ts';

/** Steps of ladders, with the highest of them. */
export const climbed = (
  escalations: AlertState['escalations'],
): Pick<AlertState, 'escalations' | 'escalationLevel'> => ({
  escalations,
  escalationLevel: Math.max(0, ...Object.values(escalations).map(({ step }) => step)),
});

/** Nothing climbed on any route. */
export const atFootOfLadder = { ...climbed({}), escalatedAt: null };

/** A step that nobody was told of has not been climbed. */
export const stepBack = (
  escalations: AlertState['escalations'],
  { route, batch }: AlertState['batches'][string],
): AlertState['escalations'] => {
  const last = ownValue(escalations, route);
  const level = batch.escalation?.level ?? 0;
  if (last === undefined || last.step !== level) return escalations;
  return level <= 1 ? without(escalations, route) : { ...escalations, [route]: { ...last, step: level - 1 } };
};

/** What an escalation digest says of the step that was climbed last on a route. */
export const escalationOf = (state: AlertState, route: string): NonNullable<Batch['escalation']> => {
  const level = ownValue(state.escalations, route)?.step ?? state.escalationLevel;
  const ladder = state.routes.find((candidate) => candidate.name === route)?.escalation ?? null;
  return ladder === null
    ? { level, repeat: 0, name: route, afterMs: 0 }
    : { level, repeat: repeatOf(ladder, level), name: ladder.name, afterMs: afterMsOf(ladder, level) };
};
