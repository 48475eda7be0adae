import type { ChainRun } from '../scheduler/enqueue-chain-run.ts';
import { readRunRows, type RunRow } from './chain-run-rows.ts';
import type { Stage } from './stage.ts';
import { waitFor } from './wait-for.ts';

const errorCharsMax = 180;

/**
 * Follows a chain run until `done` says so and prints every failed attempt once, also those between two looks; the
 * error is shown with the first.
 *
 * @param what completes "waited 60 s for …".
 */
export async function followRun(
  stage: Stage,
  run: ChainRun,
  what: string,
  done: (rows: readonly RunRow[]) => boolean,
): Promise<readonly RunRow[]> {
  const printed = new Map<string, number>();
  return waitFor(what, async () => {
    const rows = await readRunRows(stage.db, run.chainStartedAt);
    for (const row of rows) {
      const failed = row.status === 'running' || row.status === 'succeeded' ? row.attempts - 1 : row.attempts;
      for (let attempt = (printed.get(row.id) ?? 0) + 1; attempt <= failed; attempt += 1) {
        tellAttempt(stage, row, attempt);
        printed.set(row.id, attempt);
      }
    }
    return done(rows) ? rows : undefined;
  });
}

/** Prints how a run ended, one line a step. */
export function showRun(stage: Stage, rows: readonly RunRow[]): void {
  for (const row of rows) {
    const counts = Object.entries(row.result ?? {}).map(([name, count]) => `${name} ${count}`);
    stage.narrator.detail(`${row.step.padEnd(14)}${row.status.padEnd(11)}${counts.join(', ')}`.trimEnd());
  }
  if (!rows.some((row) => row.step === 'rebuild_index')) {
    stage.narrator.detail(`${'rebuild_index'.padEnd(14)}not enqueued, because it needs all three`);
  }
}

function tellAttempt(stage: Stage, row: RunRow, attempt: number): void {
  if (row.status === 'dead' && attempt === row.attempts) return;
  const fate = attempt < row.max_attempts ? 'failed, will retry: nothing is told' : 'failed for good';
  stage.narrator.say(`${row.step}: attempt ${attempt} of ${row.max_attempts} ${fate}`);
  if (attempt > 1) return;
  const error = (row.error ?? '').split('\n')[0] ?? '';
  stage.narrator.detail(error.length > errorCharsMax ? `${error.slice(0, errorCharsMax)}…` : error);
}
