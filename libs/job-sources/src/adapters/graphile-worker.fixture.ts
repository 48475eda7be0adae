/**
 * A Graphile Worker process for tests that kill it: takes a job of a task, says on stdout by whom it is locked, and never
 * ends it. Usage: node graphile-worker.fixture.ts CONNECTION_STRING TASK
 */
import { Logger, run } from 'graphile-worker';

const [, , connectionString = '', task = ''] = process.argv;
await run({
  connectionString,
  noHandleSignals: true,
  logger: new Logger(() => () => {}),
  taskList: {
    [task]: async (_payload, { job }) => {
      process.stdout.write(`${job.locked_by}\n`);
      await new Promise(() => {});
    },
  },
});
