import type { Development } from './alert-state.ts';
import type { Fragment } from './digest-fragment.ts';
import { incidentAlertsMin, incidentCausesMax, incidentJobTypesMax, itemsPerMessageMax } from './digest-message.ts';
import type { ItemKind, MessageIncident } from './digest-message.ts';
import type { DigestState } from './digest-state.ts';
import { byUrgency, countByJobType, foldByCause, foldByJobType, mainCause } from './fold-items.ts';
import type { PlannedItem } from './fold-items.ts';
import type { AlertId, DigestId } from './ids.ts';
import { earlier, later, msBetween } from './instant.ts';

/** Most conversations one digest continues with messages of their own; beyond that one message tells everything. */
export const threadsPerDigestMax = 3;

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
  /** Set when it tells of so many alerts that it tells them by cause. */
  readonly incident: MessageIncident | null;
}

/** What planning needs to know of a digest. */
export type DigestToPlan = Pick<DigestState, 'id' | 'channels'> & {
  /** Default: `window`. */
  readonly purpose?: DigestState['purpose'];
  /** Conversation of the storm's earlier messages on this route; null when it is the first. Default: null. */
  readonly storm?: { readonly threadId: DigestId | null } | null;
};

/**
 * Divides a digest into messages: per channel, and per conversation.
 *
 * Failures go to the digest's channels; a resolution goes to exactly the channels that told of the failure, and so does
 * a retraction, where the alert as a whole is not over. News of an
 * alert that was told before continues the conversation in which it was told, so that mail clients show failure and
 * recovery together. Where more than `threadsPerDigestMax` conversations would be continued at once, one new message
 * tells it all: thirty mails at 3 a.m. are noise, however well threaded. A storm goes on in the conversation it began.
 *
 * @param itemsMax most items of one message, 1 to `itemsPerMessageMax`, which is the default
 */
export const planMessages = (
  digest: DigestToPlan,
  fragments: readonly Fragment[],
  itemsMax: number = itemsPerMessageMax,
): readonly PlannedMessage[] => {
  const channels = [...new Set([...digest.channels, ...fragments.flatMap(channelsOwed)])];
  return channels.flatMap((channel) => {
    const mine = fragments.flatMap((fragment) => shareOf(fragment, channel, digest.channels) ?? []);
    return [...byThread(digest, channel, mine)].map(([threadId, members]) =>
      planMessage(digest, channel, threadId, members, itemsMax),
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
  const batch = {
    ...fragment.batch,
    failures: 0,
    developments: retracted,
    lapse: null,
    escalation: null,
    unsilenced: null,
    settled: false,
    severityBefore: null,
  };
  return { ...fragment, kind: 'update', batch };
};

const retractions = ({ batch }: Fragment): readonly Development[] =>
  batch.developments.filter(({ what }) => what === 'retracted');

const byThread = (
  digest: DigestToPlan,
  channel: string,
  fragments: readonly Fragment[],
): Map<DigestId, readonly Fragment[]> => {
  const ownThread = digest.storm?.threadId ?? digest.id;
  const threads = new Map<DigestId, Fragment[]>();
  for (const fragment of fragments) {
    const told = fragment.told.find((one) => one.channel === channel) ?? fragment.told[0];
    const threadId = told?.threadId ?? ownThread;
    const members = threads.get(threadId);
    if (members === undefined) threads.set(threadId, [fragment]);
    else members.push(fragment);
  }
  const continued = [...threads.keys()].filter((threadId) => threadId !== ownThread);
  return continued.length > threadsPerDigestMax ? new Map([[ownThread, fragments]]) : threads;
};

/** One message of these alerts, most urgent first. */
export const planMessage = (
  digest: DigestToPlan,
  channel: string,
  threadId: DigestId,
  fragments: readonly Fragment[],
  itemsMax: number,
): PlannedMessage => {
  const isIncident =
    digest.purpose === 'storm' || fragments.filter(({ kind }) => firstHeard.has(kind)).length > incidentAlertsMin;
  const items = (isIncident ? foldByCause(fragments) : foldByJobType(fragments)).toSorted(byUrgency);
  const most = Math.min(Math.max(1, itemsMax), isIncident ? incidentCausesMax : itemsPerMessageMax);
  return {
    channel,
    threadId,
    followUp: threadId !== digest.id,
    items: items.slice(0, most),
    omittedAlerts: items.slice(most).reduce((sum, item) => sum + item.fragments, 0),
    alertIds: fragments.map((fragment) => fragment.alertId),
    resolvedIds: fragments.filter((fragment) => fragment.resolution !== null).map((fragment) => fragment.alertId),
    failures: fragments.reduce((sum, fragment) => sum + fragment.batch.failures, 0),
    incident: isIncident ? incidentOf(fragments) : null,
  };
};

/** What the readers of a message have not heard of before: an escalation tells people of its own. */
const firstHeard: ReadonlySet<ItemKind> = new Set(['escalated', 'flapping', 'new', 'regressed', 'unsilenced']);

const incidentOf = (fragments: readonly Fragment[]): MessageIncident => {
  const fresh = fragments.filter(({ kind }) => firstHeard.has(kind));
  // A message that only says how it went on is about those it tells of.
  const about = fresh.length > 0 ? fresh : fragments;
  const byJobType = countByJobType(about);
  const sources = new Set(byJobType.map(({ source }) => source));
  const [one] = about;
  const start = one?.since ?? '';
  const firstFailedAt = about.reduce(
    (first, { batch, since }) => earlier(first, batch.firstFailedAt ?? since),
    one?.batch.firstFailedAt ?? start,
  );
  const lastFailedAt = about.reduce((last, fragment) => later(last, fragment.lastFailedAt), one?.lastFailedAt ?? start);
  return {
    keys: fresh.length,
    withinMs: one === undefined ? 0 : Math.max(0, msBetween(firstFailedAt, lastFailedAt)),
    source: sources.size === 1 ? (one?.source ?? null) : null,
    causes: new Set(about.map((fragment) => mainCause(fragment)?.signature)).size,
    byJobType: byJobType.slice(0, incidentJobTypesMax),
    moreJobTypes: Math.max(0, byJobType.length - incidentJobTypesMax),
    firstFailedAt,
    lastFailedAt,
  };
};
