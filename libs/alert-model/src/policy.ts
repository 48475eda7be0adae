import { z } from 'zod';
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
}

export interface Rule {
  /** How `explain` names it, for example `rules[2]`. */
  readonly name: string;
  readonly match: Match;
  readonly severity?: Severity;
  /** Which fields make the key of a job outside a chain. Default: all three. */
  readonly groupBy?: readonly ('source' | 'jobType' | 'targetId')[];
  readonly ignore?: boolean;
}

export interface ChainPolicy {
  readonly name: string;
  readonly source: string;
  readonly steps: readonly { readonly jobType: string; readonly targets: readonly string[] | null }[];
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
}
