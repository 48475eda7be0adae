import { closest, distance } from 'fastest-levenshtein';

/** The candidate that is probably meant by `given`, or undefined if none is near: at most a third of the letters may differ, but two always may. */
export function nearestName(given: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const near = closest(given.toLowerCase(), candidates);
  const differencesMax = Math.max(2, Math.floor(Math.max(given.length, near.length) / 3));
  return distance(given.toLowerCase(), near.toLowerCase()) <= differencesMax ? near : undefined;
}

/** The cure for a wrong name: the nearest valid one, else the list of valid ones. Starts with a semicolon, to follow a statement. */
export function suggestName(given: string, candidates: readonly string[]): string {
  const near = nearestName(given, candidates);
  if (near !== undefined) return `; did you mean "${near}"?`;
  return candidates.length === 0 ? '; there is none' : `; valid: ${candidates.join(', ')}`;
}
