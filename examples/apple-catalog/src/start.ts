/**
 * Program: `npm start`. Runs Tocsin, a source server and a worker, tells the story of a failing chain run, and then
 * stays as a normal installation. Environment: `TOCSIN_EXAMPLE_DIR`, where `.tocsin` is kept (default: the current
 * directory); `TOCSIN_EXAMPLE_EXIT=1`, to exit 0 after the story. Exit 1: the story could not be told to its end.
 */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Pool } from 'pg';
import { onStopSignal } from './stop-signal.ts';
import { actFailingRun } from './story/act-failing-run.ts';
import { actGreenRun } from './story/act-green-run.ts';
import { actKilledWorker } from './story/act-killed-worker.ts';
import { startChildProgram, type ChildProgram } from './story/child-program.ts';
import { createNarrator } from './story/narrator.ts';
import { onNpmGone } from './story/on-npm-gone.ts';
import { showNewMails } from './story/show-new-mails.ts';
import type { Stage } from './story/stage.ts';
import { endedEarly, startTocsin } from './story/start-tocsin.ts';
import { StoryError } from './story/story-error.ts';
import { showWhatNext } from './story/what-next.ts';
import { superviseWorker } from './story/worker-supervisor.ts';

const directory = path.resolve(process.env['TOCSIN_EXAMPLE_DIR'] ?? '.');
const logDirectory = path.join(directory, '.tocsin', 'example');
const narrator = createNarrator(process.stdout);

/** What has to be stopped at the end, in the order in which it was started. */
const started: { readonly name: string; readonly stop: () => Promise<void> }[] = [];
const trouble = Promise.withResolvers<never>();
const stop = new AbortController();
const stopped = Promise.withResolvers<'stopped'>();
const requestStop = (reason: string): void => {
  if (stop.signal.aborted) return;
  narrator.say(`Stopping after ${reason}.`);
  stop.abort();
  stopped.resolve('stopped');
};
onStopSignal(requestStop);
onNpmGone(requestStop);

try {
  await Promise.race([play(), trouble.promise, stopped.promise]);
} catch (error) {
  narrator.say(error instanceof StoryError ? `${error.message}` : 'The story stopped at an unexpected error:');
  if (!(error instanceof StoryError)) console.error(error);
  narrator.detail(`The logs of all programs are in ${logDirectory}.`);
  process.exitCode = 1;
}
stop.abort();
for (const part of started.toReversed()) {
  await part.stop().catch((error: unknown) => console.error(`could not stop ${part.name}:`, error));
}
narrator.say('Everything is stopped.');
process.exit();

async function play(): Promise<void> {
  await rm(logDirectory, { recursive: true, force: true });
  await mkdir(logDirectory, { recursive: true });
  const stage = await setTheStage();
  const first = await actFailingRun(stage);
  await actGreenRun(stage, first, 'Act 2: the source is repaired, and the alert ends');
  const second = await actKilledWorker(stage);
  await actGreenRun(stage, second, 'Act 4: the next run makes it good');
  if (process.env['TOCSIN_EXAMPLE_EXIT'] === '1') return;
  showWhatNext(stage, first);
  await showNewMails(stage, stop.signal);
}

async function setTheStage(): Promise<Stage> {
  narrator.heading('Tocsin and a job system that knows nothing of it');
  if (process.env['DATABASE_URL'] !== undefined) {
    narrator.say('DATABASE_URL is set, and ignored here: the example uses a database of its own.');
  }
  narrator.say(
    `Starting Tocsin: an embedded Postgres under ${path.join(directory, '.tocsin')}, migrations, detector, notifier.`,
  );
  const tocsin = await startTocsin(directory, logDirectory, (program) => keep(program));
  narrator.say('Tocsin is up. It watches the table public.research_jobs.');

  const source = await startPart('source-server', process.env);
  keep(source);
  const sourceUrl = await source.firstLine((line) => /listening on (http:\S+)/.exec(line)?.[1]);
  if (sourceUrl === undefined) throw endedEarly(source, await source.ended);

  const worker = await superviseWorker(
    () => startPart('worker', { ...process.env, DATABASE_URL: tocsin.databaseUrl, SOURCE_URL: sourceUrl }),
    (how, pid) => narrator.say(`The worker was ended by ${how}; another one (pid ${pid}) takes its place.`),
  );
  started.push({ name: 'worker', stop: worker.stop });
  worker.crashed.catch(trouble.reject);
  narrator.say(`A source server (${sourceUrl}) and a worker (pid ${worker.pid()}) are running.`);

  const db = new Pool({ connectionString: tocsin.databaseUrl, max: 2, application_name: 'apple-catalog-story' });
  db.on('error', () => undefined);
  started.push({ name: 'database connections of the story', stop: () => db.end() });
  return { narrator, db, sourceUrl, outboxDirectory: tocsin.outboxDirectory, worker };
}

/** Stops the program at the end, and the story if the program ends before. */
function keep(program: ChildProgram): void {
  started.push(program);
  void program.ended.then((how) => {
    if (!stop.signal.aborted) trouble.reject(endedEarly(program, how));
  });
}

function startPart(name: string, env: NodeJS.ProcessEnv): Promise<ChildProgram> {
  return startChildProgram({
    name,
    script: path.join(import.meta.dirname, `${name}${path.extname(import.meta.filename)}`),
    env,
    cwd: directory,
    logFile: path.join(logDirectory, `${name}.log`),
  });
}
