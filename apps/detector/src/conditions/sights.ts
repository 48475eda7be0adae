import { addMs, compareInstants, msBetween } from '@tocsin/alert-model';
import type { Instant } from '@tocsin/alert-model';
import type { JobSnapshot } from '@tocsin/job-sources';

/** Running jobs remembered from one look to the next: some 150 bytes each. */
const sightsMax = 10_000;
/** Clocks of a healthy fleet differ by less than this, in milliseconds. */
export const skewTolerableMs = 120_000;
/** How long a clock that was seen to be wrong is taken to be so, in milliseconds. */
const skewRememberedMs = 3_600_000;

/** What was seen of the clocks of workers. */
export interface ClockEvidence {
  /** Times that lie behind when they were written, by at least so much; 0 when none do. */
  readonly behindMs: number;
  /** Times that lie in the future, by so much; 0 when none do. */
  readonly aheadMs: number;
  /** A time was seen to be written now and to be right. */
  readonly sound: boolean;
}

/** What the looks before this one saw of running jobs. */
export interface Sights {
  /** Takes in one look; `nowMs` is monotonic. */
  readonly see: (jobs: readonly JobSnapshot[], readAt: Instant, nowMs: number) => ClockEvidence;
  /** For how long the job's last sign of life has stayed the same before our eyes, in milliseconds; 0 at first sight. */
  readonly unchangedMs: (jobId: string, nowMs: number) => number;
  /** By how much workers' clocks are known to be behind, in milliseconds. */
  readonly behindMs: (nowMs: number) => number;
}

/**
 * The last sign of life of a running job: its heartbeat, or without one its start or last change.
 * Both times are the worker's word and as good as its clock.
 */
export const signOfLife = ({ heartbeatAt, startedAt, changedAt, createdAt }: JobSnapshot): Instant | null =>
  heartbeatAt ?? latest(startedAt, changedAt) ?? createdAt;

/**
 * Remembers when the signs of life were last seen to change, by a clock that only goes forward. So a worker whose clock is
 * an hour behind is not taken for dead, nor one whose clock is ahead for alive for an hour too long.
 */
export const createSights = (): Sights => {
  let sights = new Map<string, { readonly sign: Instant | null; readonly sinceMs: number }>();
  let lookedAt: Instant | null = null;
  let behind = { ms: 0, atMs: Number.NEGATIVE_INFINITY };
  return {
    see: (jobs, readAt, nowMs) => {
      const seen = new Map<string, { readonly sign: Instant | null; readonly sinceMs: number }>();
      let behindMs = 0;
      let aheadMs = 0;
      let sound = false;
      for (const job of jobs.slice(0, sightsMax)) {
        const sign = signOfLife(job);
        const before = sights.get(job.id);
        const same = before !== undefined && before.sign === sign;
        seen.set(job.id, same ? before : { sign, sinceMs: nowMs });
        if (sign === null) continue;
        aheadMs = Math.max(aheadMs, msBetween(readAt, sign));
        // Written after the last look, so a time before it is too old by at least the difference.
        const writtenAfter = before !== undefined && !same ? lookedAt : null;
        if (writtenAfter !== null) {
          const lateMs = msBetween(sign, writtenAfter);
          behindMs = Math.max(behindMs, lateMs);
          if (lateMs <= skewTolerableMs && msBetween(readAt, sign) <= skewTolerableMs) sound = true;
        }
        behindMs = Math.max(behindMs, startedTooEarlyMs(job));
      }
      sights = seen;
      lookedAt = readAt;
      if (behindMs > skewTolerableMs) behind = { ms: behindMs, atMs: nowMs };
      return {
        behindMs: behindMs > skewTolerableMs ? behindMs : 0,
        aheadMs: aheadMs > skewTolerableMs ? aheadMs : 0,
        sound,
      };
    },
    unchangedMs: (jobId, nowMs) => {
      const sight = sights.get(jobId);
      return sight === undefined ? 0 : nowMs - sight.sinceMs;
    },
    behindMs: (nowMs) => (nowMs - behind.atMs <= skewRememberedMs ? behind.ms : 0),
  };
};

/** A job that says it was started before it was made: its worker's clock is behind by at least the difference. */
const startedTooEarlyMs = ({ startedAt, createdAt }: JobSnapshot): number =>
  startedAt === null || createdAt === null ? 0 : msBetween(startedAt, createdAt);

const latest = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null || (b !== null && compareInstants(b, a) > 0) ? b : a;

/** The instant at which a job that was last alive at `sign` became too silent. */
export const silentSince = (sign: Instant, limitMs: number): Instant => addMs(sign, limitMs);
