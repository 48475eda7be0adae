import type { AlertState, Batch } from './alert-state.ts';
import { mergeBatches } from './batch.ts';

/** Adds news for every route of the alert. */
export const tellRoutes = (state: AlertState, news: Batch): AlertState => {
  const pending: Record<string, Batch> = { ...state.pending };
  for (const route of state.routes) {
    const known = pending[route.name];
    pending[route.name] = known === undefined ? news : mergeBatches(known, news);
  }
  return { ...state, pending };
};

/** Adds news that a digest held to what waits on its route. */
export const putBack = (
  pending: AlertState['pending'],
  { route, batch }: AlertState['batches'][string],
): AlertState['pending'] => {
  const waiting = pending[route];
  return { ...pending, [route]: waiting === undefined ? batch : mergeBatches(batch, waiting) };
};
