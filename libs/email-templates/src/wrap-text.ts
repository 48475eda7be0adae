/** How a paragraph is set. Widths count UTF-16 units: wide scripts come out wider, which no mail program minds. */
export interface Wrapping {
  readonly columns: number;
  /** Stands before the first line. Default: `indent`. */
  readonly first?: string;
  /** Stands before every further line. Default: nothing. */
  readonly indent?: string;
  /** Breaks words that fill more than a line. Default: false, so that links and commands can be copied. */
  readonly breakWords?: boolean;
}

/** Sets one paragraph in lines. Leading blanks of the text are kept as indentation. An empty text gives one empty line. */
export const wrapText = (
  text: string,
  { columns, indent = '', first = indent, breakWords = false }: Wrapping,
): string[] => {
  const lead = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let line = first + lead;
  let room = line.length;
  for (const word of text
    .slice(lead.length)
    .split(' ')
    .flatMap((part) => pieces(part, breakWords ? columns - indent.length : Infinity))) {
    const empty = line.length === room;
    if (!empty && line.length + 1 + word.length > columns) {
      lines.push(line.trimEnd());
      line = indent + word;
      room = indent.length;
    } else {
      line += empty ? word : ` ${word}`;
    }
  }
  lines.push(line.trimEnd());
  return lines;
};

const pieces = (word: string, charactersMax: number): string[] => {
  if (word.length <= charactersMax) return [word];
  const parts: string[] = [];
  let part = '';
  for (const character of word) {
    if (part.length + character.length > charactersMax) {
      parts.push(part);
      part = '';
    }
    part += character;
  }
  return part === '' ? parts : [...parts, part];
};
