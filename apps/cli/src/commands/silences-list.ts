import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { createPostgresStore } from '@tocsin/event-store';
import type { Silence } from '@tocsin/event-store';
import { withDatabase } from '../database/with-database.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { cleanLine } from '../printing/clean-line.ts';
import { shortId } from '../printing/job-name.ts';
import { counted, printLines } from '../printing/lines.ts';
import { relativeTime, utcTime } from '../printing/moment.ts';
import { paint } from '../printing/paint.ts';
import { printJson } from '../printing/print-json.ts';
import { wrapLine } from '../printing/wrap-line.ts';
import type { Invocation, Terminal } from '../terminal.ts';
import { endText, matchText } from './silence-row.ts';

export interface ListSilencesOptions {
  readonly all?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

/** `tocsin silences list` */
export const listSilences = (invocation: Invocation, options: ListSilencesOptions): Promise<ExitCode> =>
  withDatabase(invocation, async ({ pool, now }) => {
    const { terminal } = invocation;
    const store = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });
    const found = await store.read((session) =>
      // One more than asked for tells whether there is more.
      session.listSilences({ ended: options.all === true, limit: options.limit + 1 }),
    );
    const silences = found.slice(0, options.limit);
    if (options.json === true) {
      printJson(terminal, silences);
      return exitCodes.fine;
    }
    if (silences.length === 0) {
      printLines(terminal, [
        options.all === true
          ? 'There has been no silence.'
          : 'Nothing is muted. Mute something: npx tocsin silences add',
      ]);
      return exitCodes.fine;
    }
    printLines(terminal, [
      ...silences.flatMap((silence) => silenceLines(silence, terminal, now)),
      '',
      found.length > silences.length
        ? `The latest ${counted(options.limit, 'silence')}; there are more: --limit N`
        : counted(silences.length, 'silence'),
      'End one: npx tocsin silences end ID',
    ]);
    return exitCodes.fine;
  });

/** What it mutes, and below it who, why and until when. */
const silenceLines = (silence: Silence, terminal: Terminal, now: string): readonly string[] => {
  const { id, match, by, name, reason, startsAt, endedAt, end } = silence;
  const who = `${by}${name === null ? '' : `, "${name}"`}`;
  const begun = startsAt > now ? `; from ${utcTime(startsAt)} UTC,` : `, ${relativeTime(startsAt, now)};`;
  const ends = endedAt === null && end.until === 'time' ? ` (${relativeTime(end.at, now)})` : '';
  const why = reason === null ? '' : `: ${reason}`;
  const [first = '', ...rest] = wrapLine(`${shortId(id)}  ${matchText(match)}`, terminal.textColumns, indent);
  return [
    `${paint(terminal, 'bold', first.slice(0, indent.length))}${first.slice(indent.length)}`,
    ...rest,
    ...wrapLine(
      `${indent}${cleanLine(`${who}${begun} ${endText(silence)}${ends}${why}`)}`,
      terminal.textColumns,
      indent,
    ),
  ];
};

const indent = ' '.repeat(10);
