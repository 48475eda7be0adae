import type { Pool } from 'pg';
import { isCatalogTarget } from '../catalog-targets.ts';
import { downloadCatalogue } from './download-catalogue.ts';
import { inTransaction } from './in-transaction.ts';
import { jobName, type Job } from './job.ts';
import { loadCatalogue } from './load-catalogue.ts';
import { parseCatalogue } from './parse-catalogue.ts';
import { rebuildIndex } from './rebuild-index.ts';
import { enqueueRebuildWhenComplete, recordSuccess } from './record-success.ts';

/**
 * Does the work of one attempt. The work, the success of the row and the next job of the chain commit together, so a
 * worker killed at any point leaves either all of it or nothing.
 *
 * @throws whatever went wrong; nothing of the attempt is then stored.
 */
export async function runJob(db: Pool, job: Job, sourceUrl: string, signal: AbortSignal): Promise<void> {
  switch (job.job_type) {
    case 'refresh_catalog': {
      const target = job.target_id;
      if (!isCatalogTarget(target)) throw new Error(`${jobName(job)}: unknown target "${target ?? ''}"`);
      const text = await downloadCatalogue(sourceUrl, target, signal);
      const entries = parseCatalogue(target, text);
      return inTransaction(db, async (tx) => {
        await recordSuccess(tx, job, await loadCatalogue(tx, target, entries));
        await enqueueRebuildWhenComplete(tx, job);
      });
    }
    case 'rebuild_index':
      return inTransaction(db, async (tx) => recordSuccess(tx, job, await rebuildIndex(tx, job.chain_started_at)));
    default:
      throw new Error(`${jobName(job)}: this worker knows refresh_catalog and rebuild_index only`);
  }
}
