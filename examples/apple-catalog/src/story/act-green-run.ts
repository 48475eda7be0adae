import type { Pool } from 'pg';
import { enqueueChainRun } from '../scheduler/enqueue-chain-run.ts';
import { followRun, showRun } from './follow-run.ts';
import { switchSource, type Stage } from './stage.ts';
import { tellResolutionMail, type ToldAlert } from './tell-mail.ts';

const searchedWord = 'lantern';
const hitsMax = 3;

/** The next run of the chain is green, and those who were told of the failure are told that it is over. */
export async function actGreenRun(stage: Stage, told: ToldAlert, title: string): Promise<void> {
  const { narrator } = stage;
  narrator.heading(title);
  await switchSource(stage, { albums: 'healthy', songs: 'healthy', artists: 'healthy' });
  narrator.say('The source is repaired.');
  const run = await enqueueChainRun(stage.db);
  narrator.say(`The scheduler enqueues the chain run of ${run.chainStartedAt}.`);
  const rows = await followRun(stage, run, 'all four steps to succeed', (now) => {
    return now.length === 4 && now.every((row) => row.status === 'succeeded');
  });
  narrator.say('All four steps have succeeded:');
  showRun(stage, rows);
  narrator.detail(`The index finds "${searchedWord}" in: ${(await searchIndex(stage.db, searchedWord)).join('; ')}`);
  await tellResolutionMail(stage, told);
}

async function searchIndex(db: Pool, word: string): Promise<readonly string[]> {
  const hits = await db.query<{ label: string }>(
    `select label
     from apple_catalog.search_index, plainto_tsquery('simple', $1) as query
     where document @@ query
     order by ts_rank(document, query) desc, kind, id
     limit $2`,
    [word, hitsMax],
  );
  return hits.rows.map((hit) => hit.label);
}
