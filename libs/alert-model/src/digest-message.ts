import type { DigestPurpose } from './event.ts';
import type { Severity } from './policy.ts';
import type { JobDetails } from './signal.ts';

/** Most items shown in one message; what is beyond is counted. */
export const itemsPerMessageMax = 100;
/** Most alerts an item names by id. */
export const alertIdsPerItemMax = 100;
/** Alerts told for the first time in one message above which it is told as one incident, by cause. */
export const incidentAlertsMin = 30;
/** Most causes shown of an incident; what is beyond is counted. */
export const incidentCausesMax = 12;
/** Most job types an incident names. */
export const incidentJobTypesMax = 12;
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
  /** First and latest failure of this cause in the alert. Messages composed by Tocsin 0.1 have none. */
  readonly firstSeenAt?: string;
  readonly lastSeenAt?: string;
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

/**
 * - `regressed`: a new alert of a key that had been resolved before.
 * - `flapping`: a new alert of a key that opens and resolves again and again: the one notice of it.
 * - `worse`: told before, and its severity has risen since.
 * - `update`: nothing failed anew; it tells what became of jobs told before.
 * - `unsilenced`: it happened under a silence, which is over.
 * - `settled`: it was flapping and has stayed broken.
 * - `open`: nothing is new; it is listed by a digest that says what is still open.
 */
export type ItemKind =
  | 'new'
  | 'regressed'
  | 'flapping'
  | 'worse'
  | 'again'
  | 'update'
  | 'unsilenced'
  | 'settled'
  | 'escalated'
  | 'lapsed'
  | 'open'
  | 'recovered'
  | 'resolved';

/** One thing to tell: an alert, or several alerts of the same job type and cause folded together. */
export interface MessageItem {
  readonly kind: ItemKind;
  /** The alert, or the first of those folded together. */
  readonly alertId: string;
  /** How many alerts are folded into this item. */
  readonly alerts: number;
  /** Those folded, at most `alertIdsPerItemMax`. Messages composed by Tocsin 0.1 have none. */
  readonly alertIds?: readonly string[];
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
    readonly reason: 'time' | 'signature-change' | 'failures';
  } | null;
  /** The silence that is over, for kind `unsilenced`. Messages composed by Tocsin 0.1 have none. */
  readonly silence?: { readonly by: string; readonly reason: string | null; readonly endedBy: string | null } | null;
  /** For kinds `flapping`, `settled` and a resolution that had been held. Messages composed by Tocsin 0.1 have none. */
  readonly flapping?: { readonly count: number; readonly withinMs: number; readonly holdMs: number } | null;
  /** Severity before it rose, for kind `worse`. */
  readonly severityBefore?: Severity | null;
  /** What the row of the latest failure says beyond its identity. */
  readonly details?: JobDetails | null;
  readonly escalation: {
    /** Which repetition after the last level it is; 0 or absent for a level. */
    readonly repeat?: number;
    readonly level: number;
    readonly name: string;
    readonly afterMs: number;
    readonly toldBefore: readonly { readonly channel: string; readonly at: string }[];
  } | null;
  readonly predecessor: { readonly alertId: string; readonly resolvedAt: string; readonly recentCount: number } | null;
  readonly adminUrl: string | null;
  /** Page of the alert in Tocsin's console, of several the list of all that this digest tells; null without PUBLIC_URL. */
  readonly tocsinUrl: string | null;
}

/** Many alerts at once, told as one. Its items fold alerts by cause, whatever their job type. */
export interface MessageIncident {
  /** Alerts that this message tells of for the first time. */
  readonly keys: number;
  /** From the first failure to the last. */
  readonly withinMs: number;
  /** Of one source alone; null: of several. */
  readonly source: string | null;
  /** Different causes, those beyond the items included. */
  readonly causes?: number;
  /** Alerts of the message by job type, most first; at most `incidentJobTypesMax`. */
  readonly byJobType: readonly { readonly source: string; readonly jobType: string; readonly alerts: number }[];
  /** Job types that are not listed. */
  readonly moreJobTypes: number;
  readonly firstFailedAt: string;
  readonly lastFailedAt: string;
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
  /** Set when this is the one message of a storm. Messages composed by Tocsin 0.1 have none. */
  readonly incident?: MessageIncident | null;
  /** Alerts told in this conversation that are still open, this message counted. Messages composed by Tocsin 0.1 have none. */
  readonly threadOpen?: number;
  /** What the reader must know of the telling itself, such as "The channel email refused this message: …". */
  readonly notices: readonly string[];
  readonly composedAt: string;
}
