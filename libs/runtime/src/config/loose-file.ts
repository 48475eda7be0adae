/**
 * A tolerant view of the file for the rules that compare two places. They must run even when another place is wrong, so
 * that all problems show at once; so whatever has the wrong form simply is not there (its own rule reports it).
 */
export type LooseEntry = { readonly index: number; readonly value: Readonly<Record<string, unknown>> };

/** The mappings in a list, with their places in it. */
export function listEntries(value: unknown): readonly LooseEntry[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown, index) => (isMapping(item) ? [{ index, value: item }] : []));
}

/** The keys of a mapping. */
export function namesOf(value: unknown): readonly string[] {
  return isMapping(value) ? Object.keys(value) : [];
}

/** The mapping under a key, or an empty one. */
export function mappingAt(value: unknown, key: string): Readonly<Record<string, unknown>> {
  const inner = isMapping(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return isMapping(inner) ? inner : {};
}

/** The text under a key, or undefined. */
export function textAt(value: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const inner = value[key];
  return typeof inner === 'string' ? inner : undefined;
}

/** The texts under a key, written as one text or a list; undefined if the key is left out. */
export function textsAt(value: Readonly<Record<string, unknown>>, key: string): readonly string[] | undefined {
  const inner = value[key];
  if (inner === undefined) return undefined;
  return (Array.isArray(inner) ? inner : [inner]).filter((item) => typeof item === 'string');
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
