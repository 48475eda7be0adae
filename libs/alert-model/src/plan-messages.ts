import { developmentsPerItemMax, itemsPerMessageMax, jobsPerItemMax } from './digest-message.ts';
import type { ItemKind } from './digest-message.ts';
import type { Development } from './alert-state.ts';
import type { Fragment } from './digest-fragment.ts';
import type { DigestState } from './digest-state.ts';
import type { AlertId, DigestId, Instant } from './ids.ts';
import { compareInstants, later } from './instant.ts';
import { severityRank } from './policy.ts';

/** Most conversations one digest continues with messages of their own; beyond that one message tells everything. */
export const threadsPerDigestMax = 3;

/** An item of a message before the texts of its failures are at hand: one alert, or several of one cause. */
export interface PlannedItem {
  readonly first: Fragment;
  readonly fragments: number;
  readonly failures: number;
  readonly occurrences: number;
  /** How many of the occurrences were conditions, by kind. */
  readonly conditions: Readonly<Record<string, number>>;
  /** The latest failure of any of its alerts. */
  readonly lastFailedAt: Instant;
  readonly targets: readonly Fragment[];
  /** What became of jobs, oldest first; the newest of all its alerts. */
  readonly developments: readonly Development[];
  readonly moreDevelopments: number;
  /** Failures to load as samples: alert and version in its stream. */
  readonly samples: readonly { readonly alertId: AlertId; readonly version: number }[];
}

export interface PlannedMessage {
  readonly channel: string;
  readonly threadId: DigestId;
  /** Whether the thread began with an earlier digest. */
  readonly followUp: boolean;
  readonly items: readonly PlannedItem[];
  readonly omittedAlerts: number;
  readonly alertIds: readonly AlertId[];
  readonly resolvedIds: readonly AlertId[];
  readonly failures: number;
}

/**
 * Divides a digest into messages: per channel, and per conversation.
 *
 * Failures go to the digest's channels; a resolution goes to exactly the channels that told of the failure, and so does
 * a retraction, where the alert as a whole is not over. News of an
 * alert that was told before continues the conversation in which it was told, so that mail clients show failure and
 * recovery together. Where more than `threadsPerDigestMax` conversations would be continued at once, one new message
 * tells it all: thirty mails at 3 a.m. are noise, however well threaded.
 */
export const planMessages = (
  digest: Pick<DigestState, 'id' | 'channels'>,
  fragments: readonly Fragment[],
): readonly PlannedMessage[] => {
  const channels = [...new Set([...digest.channels, ...fragments.flatMap(channelsOwed)])];
  return channels.flatMap((channel) => {
    const mine = fragments.flatMap((fragment) => shareOf(fragment, channel, digest.channels) ?? []);
    return [...byThread(digest.id, channel, mine)].map(([threadId, members]) =>
      plan(digest.id, channel, threadId, members),
    );
  });
};

/** Channels beside those of the digest that have to hear of it. */
const channelsOwed = (fragment: Fragment): readonly string[] => {
  if (fragment.kind === 'resolved') return fragment.owedResolution;
  return retractions(fragment).length > 0 ? fragment.told.map(({ channel }) => channel) : [];
};

/** What a channel is told of an alert; null when it is none of its business. */
const shareOf = (fragment: Fragment, channel: string, digestChannels: readonly string[]): Fragment | null => {
  if (fragment.kind === 'resolved') return fragment.owedResolution.includes(channel) ? fragment : null;
  const retracted = retractions(fragment);
  const wasTold = fragment.told.some((one) => one.channel === channel);
  if (digestChannels.includes(channel)) {
    // A condition it never heard of need not be taken back; where nobody was told yet, a message on its way tells of it.
    const nothingElse = fragment.kind === 'update' && retracted.length === fragment.batch.developments.length;
    return nothingElse && fragment.told.length > 0 && !wasTold ? null : fragment;
  }
  // Told by an escalation or as a fallback: new failures are not for it, that an old one is none any more is.
  if (!wasTold || retracted.length === 0) return null;
  const batch = { ...fragment.batch, failures: 0, developments: retracted, lapse: null, escalation: null };
  return { ...fragment, kind: 'update', batch };
};

const retractions = ({ batch }: Fragment): readonly Development[] =>
  batch.developments.filter(({ what }) => what === 'retracted');

const byThread = (digestId: DigestId, channel: string, fragments: readonly Fragment[]): Map<DigestId, Fragment[]> => {
  const threads = new Map<DigestId, Fragment[]>();
  for (const fragment of fragments) {
    const told = fragment.told.find((one) => one.channel === channel) ?? fragment.told[0];
    const threadId = told?.threadId ?? digestId;
    const members = threads.get(threadId);
    if (members === undefined) threads.set(threadId, [fragment]);
    else members.push(fragment);
  }
  const continued = [...threads.keys()].filter((threadId) => threadId !== digestId);
  return continued.length > threadsPerDigestMax ? new Map([[digestId, [...fragments]]]) : threads;
};

const plan = (
  digestId: DigestId,
  channel: string,
  threadId: DigestId,
  fragments: readonly Fragment[],
): PlannedMessage => {
  const items = foldItems(fragments).toSorted(byUrgency);
  const shown = items.slice(0, itemsPerMessageMax);
  return {
    channel,
    threadId,
    followUp: threadId !== digestId,
    items: shown,
    omittedAlerts: items.slice(itemsPerMessageMax).reduce((sum, item) => sum + item.fragments, 0),
    alertIds: fragments.map((fragment) => fragment.alertId),
    resolvedIds: fragments.filter((fragment) => fragment.resolution !== null).map((fragment) => fragment.alertId),
    failures: fragments.reduce((sum, fragment) => sum + fragment.batch.failures, 0),
  };
};

/** Folds alerts of the same kind, job type and only cause into one item; chains and mixed causes stand alone. */
const foldItems = (fragments: readonly Fragment[]): PlannedItem[] => {
  const groups = new Map<string, Fragment[]>();
  for (const fragment of fragments) {
    const cause = fragment.batch.causes[0];
    const folds =
      fragment.chain === null &&
      fragment.batch.causes.length === 1 &&
      fragment.predecessor === null &&
      fragment.acknowledgedBy === null;
    const name = folds
      ? [
          fragment.kind,
          fragment.severity,
          fragment.source,
          fragment.jobType,
          cause?.signature,
          fragment.resolution?.reason,
          ...new Set(fragment.batch.developments.map(({ what }) => what)),
        ].join('\n')
      : fragment.alertId;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [fragment]);
    else group.push(fragment);
  }
  return [...groups.values()].map(planItem);
};

const planItem = (members: readonly Fragment[]): PlannedItem => {
  const ordered = members.toSorted((a, b) => compareInstants(a.since, b.since));
  const first = ordered[0] as Fragment;
  const targets = ordered.slice(0, jobsPerItemMax);
  const developments = members
    .flatMap(({ batch }) => batch.developments)
    .toSorted((a, b) => compareInstants(a.at, b.at) || (a.jobId < b.jobId ? -1 : a.jobId > b.jobId ? 1 : 0));
  return {
    first,
    fragments: members.length,
    failures: members.reduce((sum, fragment) => sum + fragment.batch.failures, 0),
    occurrences: members.reduce((sum, fragment) => sum + fragment.occurrences, 0),
    conditions: sumByKind(members),
    lastFailedAt: members.reduce((last, fragment) => later(last, fragment.lastFailedAt), first.lastFailedAt),
    targets,
    developments: developments.slice(-developmentsPerItemMax),
    moreDevelopments: Math.max(0, developments.length - developmentsPerItemMax),
    samples: members.length === 1 ? samplesOf(first) : targets.flatMap((fragment) => samplesOf(fragment).slice(-1)),
  };
};

const sumByKind = (members: readonly Fragment[]): Readonly<Record<string, number>> => {
  const sums: Record<string, number> = {};
  for (const { conditions } of members)
    for (const [kind, count] of Object.entries(conditions)) sums[kind] = (sums[kind] ?? 0) + count;
  return sums;
};

/** Samples of one alert, spread over its causes. */
const samplesOf = (fragment: Fragment): { alertId: AlertId; version: number }[] => {
  const perCause = Math.max(1, Math.floor(jobsPerItemMax / Math.max(1, fragment.batch.causes.length)));
  return fragment.batch.causes
    .flatMap((cause) => cause.samples.slice(-perCause))
    .slice(0, jobsPerItemMax)
    .map((version) => ({ alertId: fragment.alertId, version }));
};

const kindRank: Readonly<Record<ItemKind, number>> = {
  escalated: 0,
  lapsed: 1,
  new: 2,
  again: 3,
  update: 4,
  recovered: 5,
  resolved: 6,
};

const byUrgency = (a: PlannedItem, b: PlannedItem): number =>
  kindRank[a.first.kind] - kindRank[b.first.kind] ||
  severityRank[b.first.severity] - severityRank[a.first.severity] ||
  b.failures - a.failures ||
  b.occurrences - a.occurrences ||
  compareInstants(a.first.since, b.first.since) ||
  (a.first.title < b.first.title ? -1 : a.first.title > b.first.title ? 1 : 0) ||
  (a.first.alertId < b.first.alertId ? -1 : 1);
