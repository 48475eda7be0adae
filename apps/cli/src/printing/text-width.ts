const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** East Asian wide and full-width characters and emoji take two cells (https://www.unicode.org/reports/tr11/). */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
/** Text for which a character is a cell. */
const plain = /^[\u0020-\u007e\u00a0-\u02ff→…·]*$/;

/** How many cells of a terminal a line takes. */
export const textWidth = (text: string): number => {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += cellsOf(segment);
  return width;
};

/** The text in at most that many cells; what is cut off is shown by an ellipsis. */
export const fitWidth = (text: string, cellsMax: number): string => {
  if (textWidth(text) <= cellsMax) return text;
  let fitted = '';
  let width = 0;
  for (const { segment } of segmenter.segment(text)) {
    if (width + cellsOf(segment) > cellsMax - 1) break;
    fitted += segment;
    width += cellsOf(segment);
  }
  return `${fitted.trimEnd()}…`;
};

/** The text followed (or, aligned to the right, preceded) by blanks up to that many cells. */
export const padWidth = (text: string, cells: number, align: 'left' | 'right' = 'left'): string => {
  const blanks = ' '.repeat(Math.max(0, cells - textWidth(text)));
  return align === 'right' ? blanks + text : text + blanks;
};

const cellsOf = (grapheme: string): number => (wide.test(grapheme) ? 2 : 1);
