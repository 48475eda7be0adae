import { enqueueChainRun } from '../scheduler/enqueue-chain-run.ts';
import { followRun, showRun } from './follow-run.ts';
import { switchSource, type Stage } from './stage.ts';
import { tellFailureMail, type ToldAlert } from './tell-mail.ts';

/** The worker is killed in the middle of a job; nothing in it could have told anybody. */
export async function actKilledWorker(stage: Stage): Promise<ToldAlert> {
  const { narrator } = stage;
  narrator.heading('Act 3: the worker is killed in the middle of a job');
  await switchSource(stage, { albums: 'slow' });
  const run = await enqueueChainRun(stage.db);
  narrator.say(`The scheduler enqueues the chain run of ${run.chainStartedAt}. The source sends albums slowly.`);
  await followRun(stage, run, 'albums to be running with a heartbeat', (rows) =>
    rows.some((row) => row.step === 'albums' && row.status === 'running' && row.has_beaten),
  );
  narrator.say(`albums is being downloaded; the worker (pid ${stage.worker.pid()}) now gets SIGKILL.`);
  await stage.worker.killWorker();
  narrator.detail('Nothing failed, nothing was logged: the row says "running", and would for ever.');
  const rows = await followRun(stage, run, 'the janitor to mark albums dead', (now) =>
    now.every((row) => row.status === (row.step === 'albums' ? 'dead' : 'succeeded')),
  );
  narrator.say("The new worker's janitor found no heartbeat for 5 s:");
  showRun(stage, rows);
  return tellFailureMail(
    stage,
    rows.filter((row) => row.status === 'dead').map((row) => row.id),
  );
}
