import { textWidth } from './text-width.ts';

/** A clean line broken at blanks into lines of at most `width` cells; those after the first begin with `indent`. A longer word stays whole. */
export const wrapLine = (line: string, width: number, indent: string): readonly string[] => {
  const [first = '', ...words] = line.trimStart().split(' ');
  const lines: string[] = [];
  let current = line.slice(0, line.length - line.trimStart().length) + first;
  for (const word of words) {
    if (textWidth(current) + 1 + textWidth(word) <= width) current += ` ${word}`;
    else {
      lines.push(current);
      current = indent + word;
    }
  }
  return [...lines, current];
};
