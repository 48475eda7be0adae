import { z } from 'zod';
import type { Instant } from './ids.ts';
import type { FailureKind } from './signal.ts';
import { Step } from './signal.ts';

export const Severity = z.enum(['info', 'warning', 'error', 'critical']);
export type Severity = z.infer<typeof Severity>;

/** Order of severities, mildest first. */
export const severityRank: Readonly<Record<Severity, number>> = { info: 0, warning: 1, error: 2, critical: 3 };

const EscalationLevel = z.object({
  /** Time without an acknowledgement, counted from the provider's accept of the digest for every level. */
  afterMs: z.int().nonnegative(),
  channels: z.array(z.string()).min(1),
  /** Told only while the alert has one of these severities; null: whatever it has. */
  severities: z.array(Severity).nullable(),
});
export type EscalationLevel = z.infer<typeof EscalationLevel>;

/** Who is told next when nobody acknowledges. Levels are in the order of their times, which rise. */
const Escalation = z.object({
  name: z.string(),
  levels: z.array(EscalationLevel).min(1),
  /** After the last level its channels, and those of every level before, are told again so often. */
  repeat: z.object({ everyMs: z.int().positive(), times: z.int().positive() }).nullable(),
});
export type FrozenEscalation = z.infer<typeof Escalation>;

/** As written until version 0.1: one level. */
const EscalationOfOneLevel = z
  .object({ name: z.string(), afterMs: z.int().nonnegative(), channels: z.array(z.string()).min(1) })
  .transform(({ name, afterMs, channels }): FrozenEscalation => ({
    name,
    levels: [{ afterMs, channels, severities: null }],
    repeat: null,
  }));

/** Hours of a day in a time zone. Where `toMinute` is not after `fromMinute` they end on the next day. */
export const TimeWindow = z.object({
  /** 1 is Monday, 7 Sunday: days on which they begin. Empty: every day. */
  days: z.array(z.int().min(1).max(7)),
  /** Minutes after midnight by the clocks of the zone. */
  fromMinute: z.int().min(0).max(1439),
  toMinute: z.int().min(0).max(1440),
  /** IANA name. */
  timeZone: z.string(),
});
export type TimeWindow = z.infer<typeof TimeWindow>;

/** A route as it was when the alert opened: later changes of the configuration do not move an open alert. */
export const FrozenRoute = z.object({
  name: z.string(),
  channels: z.array(z.string()).min(1),
  /** Tried in this order when a channel rejects the message for good. */
  fallback: z.array(z.string()),
  windowMs: z.int().nonnegative(),
  /** The first news of an alert goes out at once; what follows waits for the window. */
  firstAtOnce: z.boolean().default(false),
  /** Digests that come due in these hours wait until they are over … */
  quietHours: z.array(TimeWindow).default([]),
  /** … but alerts of these severities are told at once in them. */
  breakThrough: z.array(Severity).default(['critical']),
  escalation: z.union([Escalation, EscalationOfOneLevel]).nullable(),
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
  /** Names of adapters of watched tables: `oban`, `pg-boss`. */
  readonly adapter?: readonly string[];
  /** Routes only: the alert opens in one of these hours. */
  readonly during?: readonly TimeWindow[];
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

export interface RoutePolicy extends FrozenRoute {
  readonly match: Match;
  /** When a digest that says "all quiet, N open" goes out although nothing happened; null: never. */
  readonly allQuiet: { readonly cron: string; readonly timeZone: string } | null;
  /** Most items one message of this route shows; what is beyond is counted. */
  readonly itemsMax: number;
}

/** When many alerts at once are one incident. */
export interface StormPolicy {
  /** More new keys than this within `withinMs` … */
  readonly keys: number;
  readonly withinMs: number;
  /** … or more than this share (0 to 1) of what ended in one source, `stormShareKeysMin` keys at least; null: not judged. */
  readonly share: number | null;
  /** Shortest time between two messages of a storm on one route. */
  readonly updateMs: number;
}

/** When a key that opens and resolves again and again is told once only. */
export interface FlapPolicy {
  /** Alerts of a key that were resolved within `withinMs`, above which the next one is flapping. */
  readonly times: number;
  readonly withinMs: number;
  /** How long a flapping key must stay fine, or stay broken, until it has settled. */
  readonly holdMs: number;
}

/** Hours of the day in time zones; implemented by the shell, which has the zones' data. */
export interface Hours {
  /** Whether an instant lies in any of the windows. */
  readonly isWithin: (windows: readonly TimeWindow[], at: Instant) => boolean;
  /** The first instant, not before `at`, that lies in none of them; `at` itself when there is none within eight days. */
  readonly firstOutside: (windows: readonly TimeWindow[], at: Instant) => Instant;
}

/** Everything the model needs to know of the configuration. At least one route matches everything. */
export interface Policy {
  readonly rules: readonly Rule[];
  readonly chains: readonly ChainPolicy[];
  readonly routes: readonly RoutePolicy[];
  readonly schedules: readonly SchedulePolicy[];
  readonly storm: StormPolicy | null;
  readonly flapping: FlapPolicy | null;
  readonly hours: Hours;
  /** Adapter by name of the watched table. */
  readonly adapters: Readonly<Record<string, string>>;
  /** Names of all channels, those that reach people first. */
  readonly channels: readonly string[];
}

/** Fewest new keys of one source that a share of it can be a storm of. */
export const stormShareKeysMin = 10;
/** A storm's message waits until no new key came for this long … */
export const stormGatherMs = 2_000;
/** … but no longer than this. */
export const stormGatherMaxMs = 60_000;
