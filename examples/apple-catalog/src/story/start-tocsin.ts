import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { startChildProgram, type ChildProgram } from './child-program.ts';
import { StoryError } from './story-error.ts';

const exampleDirectory = path.join(import.meta.dirname, '..', '..');
const tocsinProgram = path.join(exampleDirectory, '..', '..', 'apps', 'cli', 'dist', 'main.js');
const exampleConfig = path.join(exampleDirectory, 'tocsin.yaml');
const upMessage = 'tocsin is up';

/** Tocsin, running. */
export interface RunningTocsin {
  /** With its password: not for printing. */
  readonly databaseUrl: string;
  /** Where the local mailbox puts its files. */
  readonly outboxDirectory: string;
}

/**
 * Runs `tocsin up` in `directory` and waits until it says that it is up. This is the only place that knows how `up`
 * talks: JSON lines on stdout, one of them with the msg "tocsin is up"; by then `.tocsin/database-url` holds the address
 * of the embedded Postgres, password included, and mails go to `.tocsin/outbox`.
 *
 * A DATABASE_URL in the environment is not passed on: it usually belongs to something real, and the example would write
 * its jobs there. TOCSIN_CONFIG is passed on if set; default: the example's own tocsin.yaml.
 *
 * @param onStarted gets the process as soon as there is one, so that it can be stopped before it is up.
 * @throws StoryError with the last lines of its log when it ends instead of coming up.
 */
export async function startTocsin(
  directory: string,
  logDirectory: string,
  onStarted: (program: ChildProgram) => void,
): Promise<RunningTocsin> {
  const { DATABASE_URL: _own, JOBS_DATABASE_URL: _jobs, TOCSIN_CONFIG: config, ...env } = process.env;
  const program = await startChildProgram({
    name: 'tocsin',
    script: tocsinProgram,
    args: ['up'],
    cwd: directory,
    env: { ...env, TOCSIN_CONFIG: config === undefined || config === '' ? exampleConfig : path.resolve(config) },
    logFile: path.join(logDirectory, 'tocsin.log'),
  });
  onStarted(program);
  const isUp = await program.firstLine((line) => (messageOf(line) === upMessage ? true : undefined));
  if (isUp === undefined) throw endedEarly(program, await program.ended);
  const stateDirectory = path.join(directory, '.tocsin');
  return {
    databaseUrl: (await readFile(path.join(stateDirectory, 'database-url'), 'utf8')).trim(),
    outboxDirectory: path.join(stateDirectory, 'outbox'),
  };
}

/** The error for a program that ended although the story still needed it. */
export function endedEarly(program: ChildProgram, how: string): StoryError {
  const tail = program.tail().map((line) => `  | ${line}`);
  return new StoryError(
    [`The program "${program.name}" ended (${how}). Its last lines, from ${program.logFile}:`, ...tail].join('\n'),
  );
}

function messageOf(line: string): unknown {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null && 'msg' in entry ? entry.msg : undefined;
  } catch {
    return undefined;
  }
}
