import type { Instant } from '@tocsin/alert-model';
import { compareInstants } from '@tocsin/alert-model';
import type { AdapterMapping, JobStateName } from '../adapter-mapping.ts';
import type { FoundSuccess, WatchedWork } from '../find-successes.ts';
import { toName, toNameOrNull } from '../job-name.ts';
import { outcomeId } from '../outcome-id.ts';

/** Most jobs remembered for one table: as many ids as one `readJobs` takes. */
export const rememberedJobsMax = 1_000;
/** Most jobs remembered for one piece of work, so that a busy one does not push out the others. */
export const rememberedPerWorkMax = 20;

/** A row that is there. A `JobSnapshot` is one. */
export interface PresentJob {
  readonly id: string;
  readonly state: JobStateName | 'unknown';
  /** A `failed` job that will not be tried again. */
  readonly forGood: boolean;
  readonly source: string;
  readonly jobType: string;
  readonly targetId: string | null;
  readonly run: string | null;
  readonly dueAt: Instant | null;
  readonly createdAt: Instant | null;
}

/** A job as it was when it was seen last: not ended yet. */
export interface RememberedJob {
  readonly job: PresentJob;
  /** The database's clock at that look. */
  readonly seenAt: Instant;
}

/** Jobs by id that may succeed for work that an open alert waits for. Lost on restart, and then built anew. */
export type VanishedWorkMemory = ReadonlyMap<string, RememberedJob>;

/** One look at the table. */
export interface WorkLook {
  /** Name of the watched table in the configuration. */
  readonly table: string;
  /** The database's clock when the first of its rows was read. */
  readonly readAt: Instant;
  /** ALL work that open alerts of this table wait for; a job of no work in it is forgotten. */
  readonly works: readonly WatchedWork[];
  /** Ids that `readJobs` was asked for; of these, what is not among `rows` is gone. */
  readonly asked: readonly string[];
  /** What it answered, and running and waiting jobs as read besides. The same job may occur twice. */
  readonly rows: readonly PresentJob[];
}

/**
 * Whether a row that is gone can mean success in tables of this kind: rows of successes are deleted, those of failures
 * stay. delayed_job deletes both, so nothing follows from a row that is gone there.
 */
export const vanishingMeansSuccess = (mapping: Pick<AdapterMapping, 'deletesSuccesses' | 'retention'>): boolean =>
  mapping.deletesSuccesses && mapping.retention.failuresMs !== 0;

/** The ids to ask `readJobs` for in the next look, at most `rememberedJobsMax`. */
export const idsToAsk = (memory: VanishedWorkMemory): readonly string[] => [...memory.keys()];

/**
 * Finds successes in tables that delete the rows of successes. A job of watched work that was seen waiting or running, and
 * is gone without having failed, has succeeded. "Gone" alone is not enough: the row of a failed job that somebody removes
 * was never seen waiting since, and a job that vanishes before it is due was taken back, not run.
 *
 * A success is dated with the last time the job was seen, which is before its true end; so it never pays for a failure
 * that may have come after it. Its identity is made of the job's id and creation time, so that replicas and restarts send
 * the same one.
 *
 * What it cannot know: a due job that somebody deletes by hand looks like a success, and a job that comes and goes between
 * two looks is never seen. Work whose jobs all do is resolved by hand or by its alert's end.
 *
 * Pure. For each look: ask `readJobs` for `idsToAsk(memory)`, read running and waiting jobs, call this, keep the memory.
 *
 * @returns successes, `n` being the position of the work in `look.works`; and the memory for the next look
 */
export const noteLook = (
  memory: VanishedWorkMemory,
  look: WorkLook,
): { readonly memory: VanishedWorkMemory; readonly successes: readonly FoundSuccess[] } => {
  const works = indexWorks(look.works);
  const present = new Map(look.rows.map((job) => [job.id, job]));
  const asked = new Set(look.asked);
  const kept: RememberedJob[] = [];
  const successes: FoundSuccess[] = [];
  for (const [id, remembered] of memory) {
    const job = present.get(id);
    if (job !== undefined) kept.push({ job, seenAt: look.readAt });
    else if (!asked.has(id)) kept.push(remembered);
    else successes.push(...successesOf(remembered, look, works));
  }
  const fresh = look.rows.filter(({ id }) => !memory.has(id)).map((job) => ({ job, seenAt: look.readAt }));
  // What is remembered comes first, then running jobs, which will end soonest.
  const candidates = [...kept, ...fresh.toSorted((a, b) => rank(a) - rank(b))];
  return { memory: remember(candidates, works), successes };
};

type WorkIndex = ReadonlyMap<string, readonly { readonly n: number; readonly work: WatchedWork }[]>;

const workKey = ({ source, jobType }: { readonly source: string; readonly jobType: string }): string =>
  JSON.stringify([source, jobType]);

const indexWorks = (works: readonly WatchedWork[]): WorkIndex =>
  Map.groupBy(
    works.map((work, n) => ({ n, work })),
    ({ work }) => workKey(work),
  );

const worksOf = (job: PresentJob, works: WorkIndex): readonly { readonly n: number; readonly work: WatchedWork }[] =>
  (works.get(workKey(job)) ?? []).filter(
    ({ work: { target } }) => target === 'any' || target.id === toNameOrNull(job.targetId),
  );

/** Not ended: the end of its present try, or of one that follows, is still to come. */
const isOpen = ({ state, forGood }: PresentJob): boolean =>
  state === 'waiting' || state === 'running' || (state === 'failed' && !forGood);

const rank = ({ job }: RememberedJob): number => (job.state === 'running' ? 0 : 1);

const remember = (candidates: readonly RememberedJob[], works: WorkIndex): VanishedWorkMemory => {
  const memory = new Map<string, RememberedJob>();
  const counts = new Map<number, number>();
  for (const candidate of candidates) {
    if (memory.size >= rememberedJobsMax) break;
    if (!isOpen(candidate.job)) continue;
    const wanted = worksOf(candidate.job, works)
      .map(({ n }) => n)
      .filter((n) => (counts.get(n) ?? 0) < rememberedPerWorkMax);
    if (wanted.length === 0) continue;
    for (const n of wanted) counts.set(n, (counts.get(n) ?? 0) + 1);
    memory.set(candidate.job.id, candidate);
  }
  return memory;
};

const successesOf = (remembered: RememberedJob, look: WorkLook, works: WorkIndex): readonly FoundSuccess[] => {
  const { job, seenAt } = remembered;
  if (job.state !== 'running' && !wasDue(job, look.readAt)) return [];
  return worksOf(job, works)
    .filter(({ work }) => compareInstants(seenAt, work.since) > 0)
    .map(({ n }) => ({
      n,
      signal: {
        v: 1,
        signal: 'SuccessDetected',
        outcomeId: outcomeId({
          table: look.table,
          jobId: job.id,
          kind: 'succeeded',
          at: job.createdAt,
          attempts: null,
        }),
        table: toName(look.table),
        jobId: toName(job.id),
        source: job.source,
        jobType: job.jobType,
        targetId: toNameOrNull(job.targetId),
        run: toNameOrNull(job.run),
        finishedAt: seenAt,
        observedAt: look.readAt,
      },
    }));
};

const wasDue = ({ dueAt }: PresentJob, readAt: Instant): boolean =>
  dueAt !== null && compareInstants(dueAt, readAt) <= 0;
