import { randomUUID } from 'node:crypto';
import { AlertId, OutcomeId, classifyFailure, decideFailure, shorten } from '@tocsin/alert-model';
import type { FailureSignal } from '@tocsin/alert-model';
import type { Ingestion } from './ingestion.ts';

/** Quarantine is itself a failure that somebody must learn of: one alert of Tocsin's own, told on the usual routes. */
export const tellQuarantine = async ({
  context,
  session,
  work,
  open,
  quarantined,
  now,
}: Pick<Ingestion, 'context' | 'session' | 'work' | 'open' | 'quarantined' | 'now'>): Promise<void> => {
  if (quarantined.length === 0) return;
  await session.quarantine(quarantined);
  for (const entry of quarantined)
    context.log.error(
      { decision: 'SignalQuarantined', quarantineId: entry.id, reason: entry.reason },
      'signal put into quarantine',
    );
  const signal: FailureSignal = {
    v: 1,
    signal: 'FailureDetected',
    outcomeId: OutcomeId.parse(randomUUID()),
    table: 'tocsin.quarantine',
    jobId: quarantined[0]?.id ?? 'none',
    kind: 'failed',
    source: 'tocsin',
    jobType: 'read_signal',
    targetId: null,
    attempts: null,
    maxAttempts: null,
    error: shorten(
      `${quarantined.length} signal(s) could not be taken in; see tocsin doctor. First reason: ${quarantined[0]?.reason ?? ''}`,
      1_000,
    ),
    failedAt: now,
    run: null,
    runContext: null,
    counts: null,
    history: null,
    sourceSuccesses: null,
    details: null,
    notes: [],
    observedAt: now,
  };
  const classification = classifyFailure(signal, { ...context.policy, rules: [] }, now);
  if ('ignoredBy' in classification) return;
  const state = open.get(classification.key) ?? (await session.loadOpenAlertsByKey([classification.key]))[0] ?? null;
  if (state !== null) work.load([state]);
  const alertId = state?.id ?? AlertId.parse(randomUUID());
  // No silence mutes it: what lies in quarantine may be anybody's failure.
  const opening = { now, alertId, predecessor: null, silences: [], flapping: null };
  work.apply(alertId, decideFailure(state, signal, classification, opening));
};
