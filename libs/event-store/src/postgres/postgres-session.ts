import type { Transaction } from '@tocsin/runtime';
import type { StoreSession } from '../store.ts';
import { alertsOfDigest } from './alerts-of-digest.ts';
import { alertsOfOutcomes } from './alerts-of-outcomes.ts';
import { alertsWithStrayNews } from './alerts-with-stray-news.ts';
import { announceOutcomes } from './announce-outcomes.ts';
import { appendEvents } from './append-events.ts';
import { attemptsOf } from './attempts-of.ts';
import { beat } from './beat.ts';
import { claimDelivery } from './claim-delivery.ts';
import { countOpenAlerts } from './count-open-alerts.ts';
import { databaseInstant } from './database-instant.ts';
import { deliveriesOfDigest } from './deliveries-of-digest.ts';
import { dueDeliveries } from './due-deliveries.ts';
import { dueDigests } from './due-digests.ts';
import { endConditions } from './end-conditions.ts';
import { endedConditions } from './ended-conditions.ts';
import type { Model } from './fold.ts';
import { heldFailures } from './held-failures.ts';
import { holdFailures } from './hold-failures.ts';
import { insertDeliveries } from './insert-deliveries.ts';
import { intendRepair } from './intend-repair.ts';
import { intendedRepairs } from './intended-repairs.ts';
import { loadAlerts } from './load-alerts.ts';
import { loadCursor } from './load-cursor.ts';
import { loadDelivery } from './load-delivery.ts';
import { loadDigest } from './load-digest.ts';
import { loadEventsAt } from './load-events-at.ts';
import { loadOpenAlertsByKey } from './load-open-alerts-by-key.ts';
import { loadOpenDigests } from './load-open-digests.ts';
import { loadPredecessors } from './load-predecessors.ts';
import { loadStreams } from './load-streams.ts';
import { lockLog } from './lock-log.ts';
import { openConditions } from './open-conditions.ts';
import { quarantine } from './quarantine.ts';
import { recentSuccesses } from './recent-successes.ts';
import { recordAttempt } from './record-attempt.ts';
import { recordOutcomes } from './record-outcomes.ts';
import { recordRepairs } from './record-repairs.ts';
import { recordedOutcomes } from './recorded-outcomes.ts';
import { releaseHeld } from './release-held.ts';
import { rememberSuccesses } from './remember-successes.ts';
import { restartsOf } from './restarts-of.ts';
import { saveAlerts } from './save-alerts.ts';
import { saveCursor } from './save-cursor.ts';
import { saveDigests } from './save-digests.ts';
import { settleProgress } from './settle-progress.ts';
import { settleRepair } from './settle-repair.ts';
import { settledRepairs } from './settled-repairs.ts';
import { staleHeld } from './stale-held.ts';
import { threadSubjects } from './thread-subjects.ts';
import { unsettledDeliveries } from './unsettled-deliveries.ts';
import { updateDelivery } from './update-delivery.ts';
import { watchedAlerts } from './watched-alerts.ts';

/** A session of the store in an open transaction. `tx` lets the queue enqueue in the same transaction. */
export interface PostgresSession extends StoreSession {
  readonly tx: Transaction;
}

/** The statements of this folder, bound to one transaction. */
export const postgresSession = (tx: Transaction, model: Model): PostgresSession => ({
  tx,
  lockLog: () => lockLog(tx),
  now: () => databaseInstant(tx),

  appendEvents: (appends) => appendEvents(tx, appends),
  loadStream: (streamId) => loadStreams(tx, [streamId]),
  loadEventsAt: (refs) => loadEventsAt(tx, refs),

  loadAlerts: (ids) => loadAlerts(tx, model, ids),
  loadOpenAlertsByKey: (keys) => loadOpenAlertsByKey(tx, model, keys),
  loadPredecessors: (keys) => loadPredecessors(tx, keys),
  saveAlerts: (states) => saveAlerts(tx, model.version, states),
  alertsOfDigest: (digestId) => alertsOfDigest(tx, digestId),
  countOpenAlerts: () => countOpenAlerts(tx),
  alertsWithStrayNews: (limit) => alertsWithStrayNews(tx, limit),
  watchedAlerts: (after, limit) => watchedAlerts(tx, model, after, limit),

  loadOpenDigests: () => loadOpenDigests(tx, model),
  loadDigest: (id) => loadDigest(tx, model, id),
  saveDigests: (states) => saveDigests(tx, model.version, states),
  dueDigests: (limit) => dueDigests(tx, limit),

  recordedOutcomes: (ids) => recordedOutcomes(tx, ids),
  recordOutcomes: (outcomes) => recordOutcomes(tx, outcomes),
  announceOutcomes: (outcomes) => announceOutcomes(tx, outcomes),
  alertsOfOutcomes: (ids) => alertsOfOutcomes(tx, ids),
  openConditions: (table, limit) => openConditions(tx, table, limit),
  endConditions: (ends) => endConditions(tx, ends),
  endedConditions: (ids) => endedConditions(tx, ids),

  holdFailures: (held) => holdFailures(tx, held),
  heldFailures: (keys) => heldFailures(tx, keys),
  releaseHeld: (ids) => releaseHeld(tx, ids),
  staleHeld: (olderThanMs, limit) => staleHeld(tx, olderThanMs, limit),

  intendRepair: (repair) => intendRepair(tx, repair),
  settleRepair: (id, state, reason) => settleRepair(tx, id, state, reason),
  intendedRepairs: (table, olderThanMs, limit) => intendedRepairs(tx, table, olderThanMs, limit),
  settledRepairs: (outcomeIds) => settledRepairs(tx, outcomeIds),
  recordRepairs: (repairs) => recordRepairs(tx, repairs),
  restartsOf: (table, jobIds) => restartsOf(tx, table, jobIds),

  rememberSuccesses: (successes) => rememberSuccesses(tx, successes),
  recentSuccesses: (keys) => recentSuccesses(tx, keys),

  insertDeliveries: (deliveries) => insertDeliveries(tx, deliveries),
  loadDelivery: (id) => loadDelivery(tx, id),
  deliveriesOfDigest: (id) => deliveriesOfDigest(tx, id),
  threadSubjects: (threadIds) => threadSubjects(tx, threadIds),
  dueDeliveries: (limit) => dueDeliveries(tx, limit),
  unsettledDeliveries: (limit) => unsettledDeliveries(tx, limit),
  claimDelivery: (id, attempt) => claimDelivery(tx, id, attempt),
  recordAttempt: (attemptId, outcome) => recordAttempt(tx, attemptId, outcome),
  updateDelivery: (id, change) => updateDelivery(tx, id, change),
  settleProgress: (id, from, to, done) => settleProgress(tx, id, from, to, done),
  attemptsOf: (deliveryIds) => attemptsOf(tx, deliveryIds),

  loadCursor: (name) => loadCursor(tx, name),
  saveCursor: (name, changedAt, data) => saveCursor(tx, name, changedAt, data),
  beat: (component, instance, data) => beat(tx, component, instance, data),
  quarantine: (entries) => quarantine(tx, entries),
});
