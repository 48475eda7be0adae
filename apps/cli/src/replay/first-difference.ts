/**
 * Where two JSON values differ first, as `path: A against B`; null when their canonical JSON (keys sorted, no blanks,
 * RFC 8785) is the same byte for byte. Compared part by part, because writing both out takes several times as long.
 */
export const firstDifference = (folded: unknown, stored: unknown): string | null =>
  // Nearly always they are the same, and then no path is needed.
  isSame(folded, stored) ? null : differenceAt(folded, stored, '');

const isSame = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index]))
    );
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  // JSON does not know undefined: such a member is none.
  for (const key in left) if (!isSame(left[key], right[key])) return false;
  for (const key in right) if (left[key] === undefined && right[key] !== undefined) return false;
  return true;
};

const differenceAt = (folded: unknown, stored: unknown, path: string): string | null => {
  if (isSame(folded, stored)) return null;
  if (Array.isArray(folded) && Array.isArray(stored)) {
    if (folded.length !== stored.length) return `${at(path)}: ${folded.length} entries against ${stored.length}`;
    for (const [index, item] of folded.entries()) {
      const difference = differenceAt(item, stored[index], `${path}[${index}]`);
      if (difference !== null) return difference;
    }
    return null;
  }
  if (isRecord(folded) && isRecord(stored)) {
    for (const key of new Set([...Object.keys(folded), ...Object.keys(stored)])) {
      const difference = differenceAt(folded[key], stored[key], path === '' ? key : `${path}.${key}`);
      if (difference !== null) return difference;
    }
    return null;
  }
  return `${at(path)}: ${shown(folded)} against ${shown(stored)}`;
};

const shownCharsMax = 80;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const at = (path: string): string => (path === '' ? 'the whole' : path);

const shown = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text;
};
