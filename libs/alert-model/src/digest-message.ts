import type { DigestPurpose } from './event.ts';
import type { Severity } from './policy.ts';

/** Most items shown in one message; what is beyond is counted. */
export const itemsPerMessageMax = 100;
/** Most jobs listed per item. */
export const jobsPerItemMax = 10;
/** Most developments listed per item. */
export const developmentsPerItemMax = 10;
/** Longest error text in a message, in characters. */
export const messageErrorCharsMax = 400;

/** One failed job, as a person needs to see it. */
export interface MessageJob {
  readonly table: string;
  readonly jobId: string;
  readonly source: string;
  readonly jobType: string;
  readonly targetId: string | null;
  readonly kind: string;
  readonly attempts: number | null;
  readonly maxAttempts: number | null;
  readonly failedAt: string;
  /** What was odd about the row, in plain words. */
  readonly notes: readonly string[];
  /** Link to the team's own admin page; null without ADMIN_URL. */
  readonly adminUrl: string | null;
}

/** Failures with the same cause. */
export interface MessageCause {
  readonly signature: string;
  /** Redacted, shortened; null when the rows hold no error text. */
  readonly error: string | null;
  readonly count: number;
  readonly jobs: readonly MessageJob[];
  /** Jobs with this cause that are not listed. */
  readonly moreJobs: number;
}

/** Something that happened to a job of the item and is no failure. */
export interface MessageDevelopment {
  /** `retracted`: the condition holds no more. The others: what the janitor did, or did not. */
  readonly what: 'retracted' | 'requeued' | 'marked-dead' | 'repair-skipped';
  readonly jobId: string;
  /** What was wrong with the job, `stuck`. */
  readonly kind: string;
  readonly at: string;
  /** In plain words: why, or which restart it was. */
  readonly detail: string | null;
}

/** `update`: nothing failed anew; it tells what became of jobs told before. */
export type ItemKind = 'new' | 'again' | 'update' | 'escalated' | 'lapsed' | 'recovered' | 'resolved';

/** One thing to tell: an alert, or several alerts of the same job type and cause folded together. */
export interface MessageItem {
  readonly kind: ItemKind;
  /** The alert, or the first of those folded together. */
  readonly alertId: string;
  /** How many alerts are folded into this item. */
  readonly alerts: number;
  readonly title: string;
  readonly severity: Severity;
  readonly source: string;
  readonly jobType: string;
  readonly targetId: string | null;
  readonly chain: {
    readonly name: string;
    readonly run: string | null;
    /** Steps that did not run because of it, `rebuild_index`. */
    readonly missing: readonly string[];
    readonly lastGreenAt: string | null;
    /** Runs of the chain that failed since the alert opened. */
    readonly failedRuns: number;
  } | null;
  /** Failures and conditions told by this message. */
  readonly failures: number;
  /** Failures and conditions since the alert opened. */
  readonly occurrences: number;
  /** How many of the occurrences were conditions, by kind. Messages composed by Tocsin 0.1 have none. */
  readonly conditions?: Readonly<Record<string, number>>;
  readonly causes: readonly MessageCause[];
  readonly moreCauses: number;
  /** What became of its jobs since, oldest first. Messages composed by Tocsin 0.1 have none. */
  readonly developments?: readonly MessageDevelopment[];
  /** Developments that are not listed. */
  readonly moreDevelopments?: number;
  readonly since: string;
  readonly lastFailedAt: string;
  readonly acknowledgedBy: string | null;
  readonly resolution: {
    readonly resolvedAt: string;
    readonly reason: string;
    readonly by: string | null;
    /** What happened, `heartbeat again at 03:20`. Messages composed by Tocsin 0.1 have none. */
    readonly note?: string | null;
    /** From the first failure to the recovery. */
    readonly downtimeMs: number;
  } | null;
  readonly lapse: {
    readonly by: string;
    readonly acknowledgedAt: string;
    readonly reason: 'time' | 'signature-change';
  } | null;
  readonly escalation: {
    readonly level: number;
    readonly name: string;
    readonly afterMs: number;
    readonly toldBefore: readonly { readonly channel: string; readonly at: string }[];
  } | null;
  readonly predecessor: { readonly alertId: string; readonly resolvedAt: string; readonly recentCount: number } | null;
  readonly adminUrl: string | null;
  /** Page of the alert in Tocsin's console; null without PUBLIC_URL. */
  readonly tocsinUrl: string | null;
}

/** What a channel sends: content only, no markup, already redacted and bounded. Stored in `tocsin.deliveries.message`. */
export interface DigestMessage {
  readonly v: 1;
  readonly digestId: string;
  readonly threadId: string;
  readonly route: string;
  readonly purpose: DigestPurpose;
  /** Plain text, one line, at most 150 characters. The same for the whole thread: channels add `Re: ` when `followUp`. */
  readonly subject: string;
  /** The story in one line, for a lock screen. */
  readonly headline: string;
  /** True for every message of a thread but its first. */
  readonly followUp: boolean;
  readonly severity: Severity;
  readonly items: readonly MessageItem[];
  /** Alerts that did not fit into `items`. */
  readonly omittedAlerts: number;
  readonly totals: {
    readonly failures: number;
    readonly alerts: number;
    readonly resolved: number;
    readonly stillOpen: number;
  };
  /** What the reader must know of the telling itself, such as "The channel email refused this message: …". */
  readonly notices: readonly string[];
  readonly composedAt: string;
}
