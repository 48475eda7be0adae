import { jobsPerItemMax, messageErrorCharsMax } from './digest-message.ts';
import type { DigestMessage, MessageCause, MessageItem, MessageJob } from './digest-message.ts';
import type { DigestState } from './digest-state.ts';
import { shortenMiddle } from './error-text.ts';
import type { EventNamed } from './event.ts';
import type { AlertId, Instant } from './ids.ts';
import { msBetween } from './instant.ts';
import { headlineOf, subjectOf } from './message-words.ts';
import type { PlannedItem, PlannedMessage } from './plan-messages.ts';
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
  const items = planned.items.map((item) => composeItem(item, composition));
  const severity = items.reduce<Severity>((worst, item) => worse(worst, item.severity), 'info');
  return {
    v: 1,
    digestId: digest.id,
    threadId: planned.threadId,
    route: digest.route,
    purpose: digest.purpose,
    subject: composition.threadSubject ?? subjectOf(items, planned.failures),
    headline: headlineOf(items),
    followUp: planned.followUp,
    severity,
    items,
    omittedAlerts: planned.omittedAlerts,
    totals: {
      failures: planned.failures,
      alerts: planned.alertIds.length,
      resolved: planned.resolvedIds.length,
      stillOpen: composition.stillOpen,
    },
    notices: [],
    composedAt: composition.now,
  };
};

const composeItem = (item: PlannedItem, composition: Composition): MessageItem => {
  const { first } = item;
  const folded = item.fragments > 1;
  const causes = composeCauses(item, composition);
  return {
    kind: first.kind,
    alertId: first.alertId,
    alerts: item.fragments,
    title: folded ? `${first.source}/${first.jobType}` : first.title,
    severity: first.severity,
    source: first.source,
    jobType: first.jobType,
    targetId: folded ? null : first.targetId,
    chain: first.chain,
    failures: item.failures,
    occurrences: item.occurrences,
    conditions: item.conditions,
    causes,
    moreCauses: first.batch.otherCauses,
    developments: item.developments,
    moreDevelopments: item.moreDevelopments,
    since: first.since,
    lastFailedAt: item.lastFailedAt,
    acknowledgedBy: first.acknowledgedBy,
    resolution:
      first.resolution === null
        ? null
        : { ...first.resolution, downtimeMs: Math.max(0, msBetween(first.since, first.resolution.resolvedAt)) },
    lapse: first.batch.lapse,
    escalation:
      first.batch.escalation === null
        ? null
        : { ...first.batch.escalation, toldBefore: first.told.map(({ channel, at }) => ({ channel, at })) },
    predecessor: first.predecessor,
    adminUrl: causes[0]?.jobs[0]?.adminUrl ?? null,
    tocsinUrl:
      composition.publicUrl === null ? null : `${composition.publicUrl.replace(/\/+$/, '')}/alerts/${first.alertId}`,
  };
};

const composeCauses = (item: PlannedItem, composition: Composition): readonly MessageCause[] => {
  const samples = item.samples.flatMap((ref) => composition.samples.get(sampleKey(ref)) ?? []);
  if (item.fragments > 1) {
    const signature = item.first.batch.causes[0]?.signature ?? '';
    return [causeOf(signature, item.failures, samples, composition.adminUrl)];
  }
  return item.first.batch.causes.map((cause) =>
    causeOf(
      cause.signature,
      cause.count,
      samples.filter((sample) => sample.signature === cause.signature),
      composition.adminUrl,
    ),
  );
};

const causeOf = (
  signature: string,
  count: number,
  samples: readonly Sample[],
  adminUrl: string | null,
): MessageCause => {
  const jobs = samples.slice(0, jobsPerItemMax).map((sample) => jobOf(sample, adminUrl));
  const error = samples.at(-1)?.error ?? null;
  return {
    signature,
    error: error === null ? null : shortenMiddle(error, messageErrorCharsMax),
    count,
    jobs,
    moreJobs: Math.max(0, count - jobs.length),
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
