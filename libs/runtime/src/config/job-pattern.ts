/** Longest pattern, in characters. */
export const PATTERN_CHARACTERS_MAX = 200;

/** What is wrong with a match pattern, or undefined. Only `*` is special; signs that mean something in other glob dialects are refused rather than read as plain letters. */
export function jobPatternProblem(pattern: string): string | undefined {
  if (pattern === '') return 'a pattern must not be empty; leave the field out to match everything';
  if (pattern.length > PATTERN_CHARACTERS_MAX) return `a pattern has at most ${PATTERN_CHARACTERS_MAX} characters`;
  if (pattern.trim() !== pattern) return 'a pattern must not begin or end with a blank';
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for.
  if (/[\u0000-\u001f\u007f]/.test(pattern)) return 'a pattern must not contain control characters';
  if (pattern.includes('**')) return 'write a single *; it stands for any text';
  const foreign = /[?[\]{}\\]|^!/.exec(pattern)?.[0];
  if (foreign !== undefined)
    return `only * is special in a pattern; ${foreign} has no meaning here, put * in its place`;
  return undefined;
}

/**
 * Does `pattern` match all that `other` matches? `other` may be a pattern too: its own `*` can only be matched by a `*`
 * of `pattern`, so reading it as plain text gives the right answer.
 */
export function patternCovers(pattern: string, other: string): boolean {
  const literals = pattern.split('*');
  const first = literals.shift() ?? '';
  const last = literals.pop();
  if (last === undefined) return other === first;
  if (other.length < first.length + last.length || !other.startsWith(first) || !other.endsWith(last)) return false;
  // Taking the earliest place for every literal is enough, because a * can stretch; so this stays linear.
  let position = first.length;
  const end = other.length - last.length;
  for (const literal of literals) {
    const found = other.indexOf(literal, position);
    if (found === -1 || found + literal.length > end) return false;
    position = found + literal.length;
  }
  return true;
}
