import type { Instant } from '@tocsin/alert-model';
import type { OpenCondition } from '@tocsin/event-store';
import type { JobSnapshot } from '@tocsin/job-sources';
import { conditionKey } from './condition.ts';
import type { SeenEnd } from './condition.ts';
import { endOfJobCondition } from './judge-end.ts';
import { endOfLateness, runsPrefix } from './judge-runs.ts';
import type { JudgedRun } from './judge-runs.ts';
import type { ClockEvidence } from './sights.ts';

/** Whether a condition is about one row of the table, which can be read again. */
export const isAboutRow = ({ kind, jobId }: OpenCondition): boolean =>
  kind === 'stuck' || (kind === 'stalled' && !jobId.startsWith('type:'));

/** What one look saw, as far as it says whether open conditions have ended. */
export interface EndFacts {
  readonly holding: ReadonlySet<string>;
  readonly rows: ReadonlyMap<string, JobSnapshot>;
  readonly runs: readonly JudgedRun[];
  readonly schedules: ReadonlyMap<string, SeenEnd>;
  readonly clocks: ClockEvidence;
  readonly volumeJudged: boolean;
  readonly readAt: Instant;
  readonly deletesSuccesses: boolean;
}

/** How an open condition of any kind has ended; null while it lasts, or when this look cannot tell. Pure. */
export const endOf = (condition: OpenCondition, facts: EndFacts): SeenEnd | null => {
  const { readAt } = facts;
  const holds = facts.holding.has(conditionKey(condition));
  const alive = (note: string): SeenEnd | null => (holds ? null : { cause: 'alive', note, endedAt: readAt });
  if (isAboutRow(condition)) return endOfJobCondition(condition, facts.rows.get(condition.jobId), { ...facts, holds });
  switch (condition.jobId) {
    case 'table:unreadable':
      return { cause: 'alive', note: 'the table can be read again', endedAt: readAt };
    case 'table:heartbeats':
      return alive('heartbeats arrive again, or these jobs run no more');
    case 'table:clock':
      // Only a time that was seen to be right shows that the clocks were set.
      return facts.clocks.sound ? alive('the times of the workers are right again') : null;
    case 'table:volume':
      return facts.volumeJudged ? alive('the table changes as usual again') : null;
    default:
  }
  const prefix = runsPrefix({ source: condition.subject.source, name: String(condition.subject.facts['chain']) });
  switch (condition.kind) {
    case 'overdue':
      return facts.schedules.get(condition.jobId) ?? null;
    case 'deadline':
      return endOfLateness(
        facts.runs.find(({ jobId }) => jobId === condition.jobId),
        facts.runs.filter(({ jobId }) => jobId.startsWith(prefix)),
        readAt,
      );
    case 'stalled':
      return alive('the queue of this type is being worked off');
    case 'zero_throughput':
      return alive('a job of this type has ended, or none runs any more');
    default:
      return null;
  }
};
