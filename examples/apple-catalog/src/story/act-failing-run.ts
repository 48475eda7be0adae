import { enqueueChainRun } from '../scheduler/enqueue-chain-run.ts';
import { followRun, showRun } from './follow-run.ts';
import { switchSource, type Stage } from './stage.ts';
import { tellFailureMail, type ToldAlert } from './tell-mail.ts';

/** A run fails at two of its steps after all retries, and one mail tells of both. */
export async function actFailingRun(stage: Stage): Promise<ToldAlert> {
  const { narrator } = stage;
  narrator.heading('Act 1: a chain run fails, and one mail says so');
  await switchSource(stage, { albums: 'healthy', songs: 'unavailable', artists: 'corrupt' });
  narrator.say('The source answers 503 for songs, and its file of artists is cut off half way.');
  const run = await enqueueChainRun(stage.db);
  narrator.say(`The scheduler enqueues the chain run of ${run.chainStartedAt}:`);
  narrator.detail(
    'apple/refresh_catalog for albums, songs, artists; then apple/rebuild_index, once all three are done.',
  );
  const rows = await followRun(stage, run, 'songs and artists to fail and albums to succeed', (now) =>
    now.every((row) => row.status === (row.step === 'albums' ? 'succeeded' : 'failed')),
  );
  narrator.say('The run has ended:');
  showRun(stage, rows);
  return tellFailureMail(
    stage,
    rows.filter((row) => row.status === 'failed').map((row) => row.id),
  );
}
