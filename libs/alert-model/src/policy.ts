import { z } from 'zod';
import type { FailureKind } from './signal.ts';
import { Step } from './signal.ts';

export const Severity = z.enum(['info', 'warning', 'error', 'critical']);
export type Severity = z.infer<typeof Severity>;

/** Order of severities, mildest first. */
export const severityRank: Readonly<Record<Severity, number>> = { info: 0, warning: 1, error: 2, critical: 3 };

const Escalation = z.object({
  name: z.string(),
  /** Time without an acknowledgement after the provider accepted the digest. */
  afterMs: z.int().nonnegative(),
  channels: z.array(z.string()).min(1),
});

/** A route as it was when the alert opened: later changes of the configuration do not move an open alert. */
export const FrozenRoute = z.object({
  name: z.string(),
  channels: z.array(z.string()).min(1),
  /** Tried in this order when a channel rejects the message for good. */
  fallback: z.array(z.string()),
  windowMs: z.int().nonnegative(),
  escalation: Escalation.nullable(),
});
export type FrozenRoute = z.infer<typeof FrozenRoute>;

export const FrozenChain = z.object({
  name: z.string(),
  /** The steps of a whole run; null when nothing is configured and no green run was seen yet. */
  steps: z.array(Step).nullable(),
});
export type FrozenChain = z.infer<typeof FrozenChain>;

/** Patterns with `*` for any run of characters. Absent means anything. */
export interface Match {
  readonly source?: readonly string[];
  readonly jobType?: readonly string[];
  readonly targetId?: readonly string[];
  readonly severity?: readonly Severity[];
  readonly kind?: readonly FailureKind[];
}

/** From when on failures are told; until then they are held, on record. */
export type Threshold =
  /** That many failures of the same key without a success between them. */
  | { readonly kind: 'in-a-row'; readonly failures: number }
  /** That many failures of the same key within that time. */
  | { readonly kind: 'count'; readonly failures: number; readonly withinMs: number }
  /** Share of failures among all ended jobs within that time, once that many have ended. */
  | { readonly kind: 'ratio'; readonly over: number; readonly withinMs: number; readonly atLeast: number };

/** How long a running job may show no sign of life. */
export type StuckLimit =
  | {
      readonly mode: 'fixed';
      /** Since the last heartbeat; null: not judged by heartbeats. */
      readonly heartbeatMs: number | null;
      /** Since the last change of any kind (for a job with heartbeats: of its progress); null: not judged by it. */
      readonly updateMs: number | null;
    }
  /** Learned: the 99th percentile of past durations times `factor`, never below `floorMs`. */
  | { readonly mode: 'auto'; readonly factor: number; readonly floorMs: number }
  | { readonly mode: 'off' };

/** What the janitor does about a stuck job. */
export type StuckAction =
  | { readonly action: 'alert' }
  | { readonly action: 'mark_dead' }
  | {
      readonly action: 'requeue';
      readonly restartsMax: number;
      /** Wait before the first restart; doubles with each further one. */
      readonly backoffMs: number;
      /** JSON Schema that the row's checkpoint must satisfy; null: any checkpoint that is there. */
      readonly checkpointSchema: Readonly<Record<string, unknown>> | null;
    };

/** How much of a succeeded job may have failed before it is told: more parts than `failed`, or a share above `ratio`. */
export type PartialLimit =
  | { readonly failed: number | null; readonly ratio: number | null }
  /** Never told. */
  | 'off';

export interface Rule {
  /** How `explain` names it, for example `rules[2]`. */
  readonly name: string;
  readonly match: Match;
  readonly severity?: Severity;
  /** Which fields make the key of a job outside a chain. Default: all three. */
  readonly groupBy?: readonly ('source' | 'jobType' | 'targetId')[];
  readonly ignore?: boolean;
  readonly threshold?: Threshold;
  readonly stuckAfter?: StuckLimit;
  readonly onStuck?: StuckAction;
  /** How long a job may wait after its time has come. null: for ever. */
  readonly stalledAfterMs?: number | null;
  /** How long jobs may run without any of them ending. null: for ever. */
  readonly noCompletionAfterMs?: number | null;
  readonly partial?: PartialLimit;
}

export interface ChainPolicy {
  readonly name: string;
  readonly source: string;
  readonly steps: readonly { readonly jobType: string; readonly targets: readonly string[] | null }[];
  /** How long a run may take from its start; null: for ever. */
  readonly deadlineMs: number | null;
}

/** Work that must succeed regularly. */
export interface SchedulePolicy {
  readonly name: string;
  /** Name of the watched table its jobs are in. */
  readonly table: string;
  readonly source: string;
  /** Either a configured chain of that source, or a job type with one target or whatever target. */
  readonly work: { readonly chain: string } | { readonly jobType: string; readonly targetId: string | null };
  /** When it is due: a cron expression in a time zone, or at the latest so long after the last success. */
  readonly due:
    | { readonly kind: 'cron'; readonly expression: string; readonly timeZone: string }
    | { readonly kind: 'every'; readonly everyMs: number };
  /** How late it may be. */
  readonly graceMs: number;
}

export interface RoutePolicy extends Omit<FrozenRoute, 'escalation'> {
  readonly match: Match;
  readonly escalation: { readonly name: string; readonly afterMs: number; readonly channels: readonly string[] } | null;
}

/** Everything the model needs to know of the configuration. At least one route matches everything. */
export interface Policy {
  readonly rules: readonly Rule[];
  readonly chains: readonly ChainPolicy[];
  readonly routes: readonly RoutePolicy[];
  readonly schedules: readonly SchedulePolicy[];
}
