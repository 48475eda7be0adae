/**
 * Where two JSON values differ first, as `path: A against B`; null when their canonical JSON (keys sorted, no blanks,
 * RFC 8785) is the same byte for byte. Compared part by part, because the texts of both are needed only when they differ.
 */
export const firstDifference = (folded: unknown, stored: unknown, path = ''): string | null => {
  if (Object.is(folded, stored)) return null;
  if (Array.isArray(folded) && Array.isArray(stored)) {
    if (folded.length !== stored.length) return `${at(path)}: ${folded.length} entries against ${stored.length}`;
    for (const [index, item] of folded.entries()) {
      const difference = firstDifference(item, stored[index], `${path}[${index}]`);
      if (difference !== null) return difference;
    }
    return null;
  }
  if (isRecord(folded) && isRecord(stored)) {
    // JSON does not know undefined: such a member is none.
    for (const key of new Set([...Object.keys(folded), ...Object.keys(stored)])) {
      const difference = firstDifference(folded[key], stored[key], path === '' ? key : `${path}.${key}`);
      if (difference !== null) return difference;
    }
    return null;
  }
  // JSON has one zero.
  if (folded === 0 && stored === 0) return null;
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
