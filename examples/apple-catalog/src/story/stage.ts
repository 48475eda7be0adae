import type { Pool } from 'pg';
import type { SourceModes } from '../source/source-modes.ts';
import type { Narrator } from './narrator.ts';
import type { WorkerSupervisor } from './worker-supervisor.ts';

/** Everything an act works with. */
export interface Stage {
  readonly narrator: Narrator;
  readonly db: Pool;
  readonly sourceUrl: string;
  readonly outboxDirectory: string;
  readonly worker: WorkerSupervisor;
}

/** Switches the source, as `curl -X POST <source>/mode` does. */
export async function switchSource(stage: Stage, modes: Partial<SourceModes>): Promise<void> {
  const response = await fetch(`${stage.sourceUrl}/mode`, { method: 'POST', body: JSON.stringify(modes) });
  if (!response.ok)
    throw new Error(`POST ${stage.sourceUrl}/mode answered ${response.status}: ${await response.text()}`);
}
