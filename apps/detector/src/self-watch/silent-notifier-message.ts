import { DigestId } from '@tocsin/alert-model';
import type { DigestMessage, Instant } from '@tocsin/alert-model';

/**
 * What the detector says by itself when no notifier lives. A conversation of its own; its identity is that of the outcome,
 * so that a second message of the same silence carries the same Message-ID.
 */
export const silentNotifierMessage = ({
  outcomeId,
  words,
  since,
  now,
  publicUrl,
}: {
  readonly outcomeId: string;
  readonly words: string;
  readonly since: Instant;
  readonly now: Instant;
  readonly publicUrl: string | null;
}): DigestMessage => ({
  v: 1,
  digestId: outcomeId,
  threadId: DigestId.parse(outcomeId),
  route: 'tocsin',
  purpose: 'urgent',
  subject: '[critical] Tocsin itself: the notifier is silent, alerts are not told',
  headline: words,
  followUp: false,
  severity: 'critical',
  items: [
    {
      kind: 'new',
      alertId: outcomeId,
      alerts: 1,
      title: 'Notifier',
      severity: 'critical',
      source: 'tocsin',
      jobType: 'notifier',
      targetId: null,
      chain: null,
      failures: 1,
      occurrences: 1,
      conditions: { unhealthy: 1 },
      causes: [{ signature: 'tocsin:notifier', error: words, count: 1, jobs: [], moreJobs: 0 }],
      moreCauses: 0,
      since,
      lastFailedAt: since,
      acknowledgedBy: null,
      resolution: null,
      lapse: null,
      escalation: null,
      predecessor: null,
      adminUrl: null,
      tocsinUrl: publicUrl,
    },
  ],
  omittedAlerts: 0,
  totals: { failures: 1, alerts: 1, resolved: 0, stillOpen: 0 },
  notices: ['The detector sends this by itself. Failures are on record and are told as soon as a notifier runs again.'],
  composedAt: now,
});
