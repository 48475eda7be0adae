import type { Fragment } from './digest-fragment.ts';
import { itemsPerMessageMax, jobsPerItemMax, messageErrorCharsMax } from './digest-message.ts';
import type { DigestMessage, MessageCause, MessageItem, MessageJob } from './digest-message.ts';
import type { DigestState } from './digest-state.ts';
import { shortenMiddle } from './error-text.ts';
import type { EventNamed } from './event.ts';
import type { AlertId, DigestId, Instant } from './ids.ts';
import type { PlannedCause, PlannedItem } from './fold-items.ts';
import { isAfter, msBetween } from './instant.ts';
import { headlineOf, subjectOf } from './message-words.ts';
import { planMessage } from './plan-messages.ts';
import type { PlannedMessage } from './plan-messages.ts';
import { quietHeadlineOf, quietSubjectOf } from './quiet-words.ts';
import { worse } from './classify.ts';
import type { Severity } from './policy.ts';

export type Sample = EventNamed<'FailureDetected'>['data'];

/** What composing needs besides the plan. */
export interface Composition {
  /** Sample failures by `sampleKey`. */
  readonly samples: ReadonlyMap<string, Sample>;
  /** Subject of the thread's first message; null for a new thread, or when it is no longer known. */
  readonly threadSubject: string | null;
  /** Template of the team's admin page with `{source}`, `{job_type}`, `{target_id}`, `{id}`; null without one. */
  readonly adminUrl: string | null;
  /** Base address of Tocsin's console; null without one. */
  readonly publicUrl: string | null;
  readonly stillOpen: number;
  /** Open alerts told in the conversation before, those of this digest not counted. Default: 0. */
  readonly openInThread?: number;
  readonly now: Instant;
}

export const sampleKey = (ref: { readonly alertId: AlertId; readonly version: number }): string =>
  `${ref.alertId} ${ref.version}`;

/** Makes the message of a plan: content for people, without markup, bounded. Pure: the same input gives the same message. */
export const composeMessage = (
  digest: Pick<DigestState, 'id' | 'route' | 'purpose'>,
  planned: PlannedMessage,
  composition: Composition,
): DigestMessage => {
  const items = planned.items.map((item) => composeItem(item, digest.id, composition));
  const { incident, followUp, resolvedIds, alertIds } = planned;
  const threadOpen = (composition.openInThread ?? 0) + alertIds.length - resolvedIds.length;
  const whole = { failures: planned.failures, incident, followUp, threadOpen, resolved: resolvedIds.length };
  return {
    v: 1,
    digestId: digest.id,
    threadId: planned.threadId,
    route: digest.route,
    purpose: digest.purpose,
    subject: composition.threadSubject ?? subjectOf(items, planned.failures, whole),
    headline: headlineOf(items, whole),
    followUp,
    severity: worstOf(items),
    items,
    omittedAlerts: planned.omittedAlerts,
    totals: {
      failures: planned.failures,
      alerts: alertIds.length,
      resolved: resolvedIds.length,
      stillOpen: composition.stillOpen,
    },
    incident,
    threadOpen,
    notices: [],
    composedAt: composition.now,
  };
};

const worstOf = (items: readonly MessageItem[]): Severity =>
  items.reduce<Severity>((worst, item) => worse(worst, item.severity), 'info');

/** What the regular message of a route says although nothing happened. */
export interface Heartbeat {
  /** Open alerts of the route, by `openFragmentOf`, in any order. */
  readonly open: readonly Fragment[];
  /** How many are open, those not given here included. Default: as many as are given. */
  readonly openAlerts?: number;
  /** Most items shown, the most severe first. Default: `itemsPerMessageMax`. */
  readonly itemsMax?: number;
  /** Sample failures by `sampleKey`, for the causes. Default: none, and causes are counted only. */
  readonly samples?: ReadonlyMap<string, Sample>;
  readonly adminUrl: string | null;
  readonly publicUrl: string | null;
  readonly now: Instant;
}

/** Makes the "all quiet" message of a route: what is still open, or that nothing is. It begins a conversation of its own. */
export const composeHeartbeat = (digest: Pick<DigestState, 'id' | 'route'>, heartbeat: Heartbeat): DigestMessage => {
  const { open, itemsMax = itemsPerMessageMax } = heartbeat;
  const openAlerts = Math.max(open.length, heartbeat.openAlerts ?? 0);
  const planned = planMessage({ id: digest.id, channels: [] }, '', digest.id, open, itemsMax);
  const samples = heartbeat.samples ?? new Map<string, Sample>();
  const items = planned.items.map((item) => composeItem(item, digest.id, { ...heartbeat, samples }));
  return {
    v: 1,
    digestId: digest.id,
    threadId: digest.id,
    route: digest.route,
    purpose: 'heartbeat',
    subject: quietSubjectOf(openAlerts),
    headline: quietHeadlineOf(items, openAlerts),
    followUp: false,
    // Nothing has happened, whatever is open.
    severity: 'info',
    items,
    omittedAlerts: planned.omittedAlerts + openAlerts - open.length,
    totals: { failures: 0, alerts: open.length, resolved: 0, stillOpen: openAlerts },
    incident: null,
    threadOpen: openAlerts,
    notices: [],
    composedAt: heartbeat.now,
  };
};

type ItemComposition = Pick<Composition, 'samples' | 'adminUrl' | 'publicUrl'>;

const composeItem = (item: PlannedItem, digestId: DigestId, composition: ItemComposition): MessageItem => {
  const { first } = item;
  const folded = item.fragments > 1;
  const samples = item.samples.flatMap((ref) => composition.samples.get(sampleKey(ref)) ?? []);
  const causes = item.causes.map((cause) => causeOf(cause, samples, composition.adminUrl));
  const { batch } = first;
  return {
    kind: first.kind,
    alertId: first.alertId,
    alerts: item.fragments,
    alertIds: item.alertIds,
    title: item.title,
    severity: item.severity,
    source: first.source,
    jobType: first.jobType,
    targetId: folded ? null : first.targetId,
    chain: folded ? null : first.chain,
    failures: item.failures,
    occurrences: item.occurrences,
    conditions: item.conditions,
    causes,
    moreCauses: item.moreCauses,
    developments: item.developments,
    moreDevelopments: item.moreDevelopments,
    since: first.since,
    lastFailedAt: item.lastFailedAt,
    acknowledgedBy: folded ? null : first.acknowledgedBy,
    resolution:
      item.resolution === null
        ? null
        : { ...item.resolution, downtimeMs: Math.max(0, msBetween(first.since, item.resolution.resolvedAt)) },
    lapse: batch.lapse,
    silence: batch.unsilenced,
    flapping: folded ? null : first.flapping,
    severityBefore: batch.severityBefore,
    details: folded ? null : (latestOf(samples)?.details ?? null),
    escalation:
      batch.escalation === null
        ? null
        : { ...batch.escalation, toldBefore: first.told.map(({ channel, at }) => ({ channel, at })) },
    predecessor: folded ? null : first.predecessor,
    adminUrl: causes[0]?.jobs[0]?.adminUrl ?? null,
    tocsinUrl:
      composition.publicUrl === null
        ? null
        : composition.publicUrl.replace(/\/+$/, '') +
          (folded ? `/alerts?digest=${digestId}` : `/alerts/${first.alertId}`),
  };
};

const latestOf = (samples: readonly Sample[]): Sample | undefined =>
  samples.reduce<Sample | undefined>(
    (latest, sample) => (latest === undefined || isAfter(sample.failedAt, latest.failedAt) ? sample : latest),
    undefined,
  );

const causeOf = (cause: PlannedCause, samples: readonly Sample[], adminUrl: string | null): MessageCause => {
  const own = samples.filter(({ signature }) => signature === cause.signature);
  const jobs = own.slice(0, jobsPerItemMax).map((sample) => jobOf(sample, adminUrl));
  const error = own.at(-1)?.error ?? null;
  return {
    signature: cause.signature,
    error: error === null ? null : shortenMiddle(error, messageErrorCharsMax),
    count: cause.count,
    jobs,
    moreJobs: Math.max(0, cause.count - jobs.length),
    firstSeenAt: cause.firstAt,
    lastSeenAt: cause.lastAt,
  };
};

const jobOf = (sample: Sample, adminUrl: string | null): MessageJob => ({
  table: sample.table,
  jobId: sample.jobId,
  source: sample.source,
  jobType: sample.jobType,
  targetId: sample.targetId,
  kind: sample.kind,
  attempts: sample.attempts,
  maxAttempts: sample.maxAttempts,
  failedAt: sample.failedAt,
  notes: sample.notes,
  adminUrl: adminUrl === null ? null : fillUrl(adminUrl, sample),
});

/** Fills the admin page's template; each value is percent-encoded, so a hostile target cannot leave its place. */
export const fillUrl = (
  template: string,
  job: { readonly source: string; readonly jobType: string; readonly targetId: string | null; readonly jobId: string },
): string =>
  template
    .replaceAll('{source}', encodeURIComponent(job.source.toWellFormed()))
    .replaceAll('{job_type}', encodeURIComponent(job.jobType.toWellFormed()))
    .replaceAll('{target_id}', encodeURIComponent((job.targetId ?? '').toWellFormed()))
    .replaceAll('{id}', encodeURIComponent(job.jobId.toWellFormed()));
