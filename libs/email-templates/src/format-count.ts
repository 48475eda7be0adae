const counts = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const ordinals = [
  'zeroth',
  'first',
  'second',
  'third',
  'fourth',
  'fifth',
  'sixth',
  'seventh',
  'eighth',
  'ninth',
  'tenth',
] as const;
const suffixes: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd', other: 'th' };
const ordinalRules = new Intl.PluralRules('en-US', { type: 'ordinal' });

/** `2,000`. */
export const formatCount = (count: number): string => counts.format(count);

/** `1 failure`, `2,000 failures`. `many` defaults to `one` with an s. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;

/** `third`, `21st`. */
export const ordinal = (count: number): string =>
  ordinals[count] ?? `${formatCount(count)}${suffixes[ordinalRules.select(count)] ?? 'th'}`;

/** `a`, `a and b`, `a, b and 3 more`: at most `shownMax` names. */
export const listed = (names: readonly string[], shownMax: number): string => {
  const shown = names.slice(0, shownMax);
  const more = names.length - shown.length;
  const parts = more > 0 ? [...shown, `${formatCount(more)} more`] : shown;
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
};
