/** `40`, `40 %` or `2 of 5 pages` as percent; null for anything else. */
export const toPercent = (text: string | null): number | null => {
  const [, part, , whole] = /^\s*(\d{1,9}(?:\.\d{1,6})?)\s*(%|of\s+(\d{1,9}))?/.exec(text ?? '') ?? [];
  if (part === undefined) return null;
  const percent = whole === undefined ? Number(part) : (100 * Number(part)) / Number(whole);
  return Number.isFinite(percent) && percent >= 0 && percent <= 100 ? Math.round(percent * 10) / 10 : null;
};
