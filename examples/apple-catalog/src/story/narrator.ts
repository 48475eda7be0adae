import { styleText } from 'node:util';

const quotedLinesMax = 80;

/** Tells the story on the terminal. */
export interface Narrator {
  /** A title between two parts. */
  readonly heading: (title: string) => void;
  /** One line with the time of day. */
  readonly say: (line: string) => void;
  /** A line that belongs to the one before it. */
  readonly detail: (line: string) => void;
  /** A text from elsewhere, set apart; long ones are cut. */
  readonly quote: (text: string) => void;
}

/** A narrator that writes to `stream`, in colours only if it is a terminal that wants them (NO_COLOR is honoured). */
export function createNarrator(stream: NodeJS.WriteStream): Narrator {
  const style = (format: 'bold' | 'dim', text: string): string => styleText(format, text, { stream });
  const write = (line: string): void => void stream.write(`${line}\n`);
  const indent = ' '.repeat(10);
  return {
    heading: (title) => write(`\n${style('bold', title)}`),
    say: (line) => write(`${style('dim', timeOfDay())}  ${printable(line)}`),
    detail: (line) => write(`${indent}${printable(line)}`),
    quote: (text) => {
      const lines = printable(text.trimEnd()).split('\n');
      for (const line of lines.slice(0, quotedLinesMax)) write(`${indent}${style('dim', '|')} ${line}`);
      if (lines.length > quotedLinesMax)
        write(`${indent}${style('dim', `| … ${lines.length - quotedLinesMax} more lines`)}`);
    },
  };
}

/** Takes out what could steer a terminal: error texts and mails are shown as they came, but only as text. */
export function printable(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(/[\p{Cc}\p{Cf}]/gu, (character) => (/[\n\t]/.test(character) ? character : ''));
}

function timeOfDay(): string {
  return new Date().toTimeString().slice(0, 8);
}
