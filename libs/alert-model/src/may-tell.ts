import { batchesMax } from './alert-state.ts';
import type { AlertState, Batch } from './alert-state.ts';
import { ownValue } from './own-value.ts';

type Muting = Pick<AlertState, 'acknowledgement' | 'resolution' | 'silences' | 'flapping' | 'batches'>;

/** Whether any silence mutes the alert. */
export const isSilenced = ({ silences }: Pick<AlertState, 'silences'>): boolean => Object.keys(silences).length > 0;

/**
 * Whether news of an alert may go into digests at all: not while somebody holds it, while a silence mutes it, or while so
 * much of it is under way that nobody could follow. The end of an alert is told whatever holds it.
 */
export const mayTell = (state: Muting): boolean => {
  const isOver = state.resolution !== null;
  if (!isOver && (state.acknowledgement !== null || isSilenced(state))) return false;
  return Object.keys(state.batches).length < batchesMax;
};

/**
 * Whether this news is told while the alert is flapping: the one notice of it, that it has settled, and what somebody was
 * promised to hear. Everything else waits, on record.
 */
export const isToldWhileFlapping = ({ opened, lapse, unsilenced, settled }: Batch): boolean =>
  opened || lapse !== null || unsilenced !== null || settled;

/** The news of a route that should join a digest now; undefined when there is none. */
export const newsToJoin = (state: Muting & Pick<AlertState, 'pending'>, route: string): Batch | undefined => {
  const news = ownValue(state.pending, route);
  if (news === undefined) return undefined;
  return state.flapping === null || state.resolution !== null || isToldWhileFlapping(news) ? news : undefined;
};
