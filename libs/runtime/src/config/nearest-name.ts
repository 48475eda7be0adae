import { closest, distance } from 'fastest-levenshtein';

/** Beginnings shorter than this say too little. */
const PREFIX_CHARACTERS_MIN = 3;

/**
 * The candidate that is probably meant by `given`, or undefined if none is near: one that begins like it (warning, warn), else
 * one where at most a third of the letters differ (two always may).
 */
export function nearestName(given: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const wanted = given.toLowerCase();
  const sameStart = candidates.find((candidate) => isPrefix(wanted, candidate) || isPrefix(candidate, wanted));
  if (sameStart !== undefined) return sameStart;
  const near = closest(wanted, candidates);
  const differencesMax = Math.max(2, Math.floor(Math.max(given.length, near.length) / 3));
  return distance(wanted, near.toLowerCase()) <= differencesMax ? near : undefined;
}

/** The cure for a wrong name: the nearest valid one, else the list of valid ones. Starts with a semicolon, to follow a statement. */
export function suggestName(given: string, candidates: readonly string[]): string {
  const near = nearestName(given, candidates);
  if (near !== undefined) return `; did you mean "${near}"?`;
  return candidates.length === 0 ? '; none is declared' : `; valid: ${candidates.join(', ')}`;
}

function isPrefix(prefix: string, text: string): boolean {
  return prefix.length >= PREFIX_CHARACTERS_MIN && text.startsWith(prefix);
}
