import type { Transaction } from '@tocsin/runtime';
import type { StoreSession } from '../store.ts';
import { activeSilences } from './active-silences.ts';
import { alertsOfDigest } from './alerts-of-digest.ts';
import { alertsOfOlderModel } from './alerts-of-older-model.ts';
import { alertsOfOutcomes } from './alerts-of-outcomes.ts';
import { alertsOfSilence } from './alerts-of-silence.ts';
import { alertsWithStrayNews } from './alerts-with-stray-news.ts';
import { announceOutcomes } from './announce-outcomes.ts';
import { appendEvents } from './append-events.ts';
import { attemptsOf } from './attempts-of.ts';
import { audit } from './audit.ts';
import { beat } from './beat.ts';
import { beginAttempt } from './begin-attempt.ts';
import { channelStates } from './channel-states.ts';
import { claimDelivery } from './claim-delivery.ts';
import { confirmAttempt } from './confirm-attempt.ts';
import { countOpenAlerts } from './count-open-alerts.ts';
import { countOpenInThread } from './count-open-in-thread.ts';
import { countOpenOf } from './count-open-of.ts';
import { databaseInstant } from './database-instant.ts';
import { deliveriesOfDigest } from './deliveries-of-digest.ts';
import { dueDeliveries } from './due-deliveries.ts';
import { dueDigests } from './due-digests.ts';
import { dueSilences } from './due-silences.ts';
import { endConditions } from './end-conditions.ts';
import { endSilence } from './end-silence.ts';
import { endedConditions } from './ended-conditions.ts';
import type { Model } from './fold.ts';
import { heldFailures } from './held-failures.ts';
import { holdChannel } from './hold-channel.ts';
import { holdFailures } from './hold-failures.ts';
import { insertDeliveries } from './insert-deliveries.ts';
import { insertSilences } from './insert-silences.ts';
import { intendRepair } from './intend-repair.ts';
import { intendedRepairs } from './intended-repairs.ts';
import { keysOpenedSince } from './keys-opened-since.ts';
import { lastOpenedAt } from './last-opened-at.ts';
import { listDeliveries } from './list-deliveries.ts';
import { listSilences } from './list-silences.ts';
import { loadAlerts } from './load-alerts.ts';
import { loadCursor } from './load-cursor.ts';
import { loadDelivery } from './load-delivery.ts';
import { loadDigest } from './load-digest.ts';
import { loadEventsAt } from './load-events-at.ts';
import { loadOpenAlertsByKey } from './load-open-alerts-by-key.ts';
import { loadOpenDigests } from './load-open-digests.ts';
import { loadPredecessors } from './load-predecessors.ts';
import { loadSilences } from './load-silences.ts';
import { loadStreams } from './load-streams.ts';
import { lockDeliveryOfAttempt } from './lock-delivery-of-attempt.ts';
import { lockLog } from './lock-log.ts';
import { markSilenceApplied } from './mark-silence-applied.ts';
import { newestBeats } from './newest-beats.ts';
import { openAlerts } from './open-alerts.ts';
import { openConditions } from './open-conditions.ts';
import { overdueAlerts } from './overdue-alerts.ts';
import { parkChannel } from './park-channel.ts';
import { providerEventsOf } from './provider-events-of.ts';
import { quarantine } from './quarantine.ts';
import { recentSuccesses } from './recent-successes.ts';
import { recordAttempt } from './record-attempt.ts';
import { recordChannelResult } from './record-channel-result.ts';
import { recordOutcomes } from './record-outcomes.ts';
import { recordProviderEvents } from './record-provider-events.ts';
import { recordRepairs } from './record-repairs.ts';
import { recordedOutcomes } from './recorded-outcomes.ts';
import { releaseDeliveries } from './release-deliveries.ts';
import { releaseHeld } from './release-held.ts';
import { rememberSuccesses } from './remember-successes.ts';
import { replaceDelivery } from './replace-delivery.ts';
import { restartsOf } from './restarts-of.ts';
import { saveAlerts } from './save-alerts.ts';
import { saveCursor } from './save-cursor.ts';
import { saveDigests } from './save-digests.ts';
import { settleProgress } from './settle-progress.ts';
import { settleRepair } from './settle-repair.ts';
import { settleUnknownAttempt } from './settle-unknown-attempt.ts';
import { settledRepairs } from './settled-repairs.ts';
import { staleHeld } from './stale-held.ts';
import { stormDigestsSince } from './storm-digests-since.ts';
import { takeToken } from './take-token.ts';
import { threadRoots } from './thread-roots.ts';
import { threadSubjects } from './thread-subjects.ts';
import { unparkChannel } from './unpark-channel.ts';
import { unsettledDeliveries } from './unsettled-deliveries.ts';
import { updateDelivery } from './update-delivery.ts';
import { verifyChannel } from './verify-channel.ts';
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
  loadPredecessors: (keys, flapWithinMs) => loadPredecessors(tx, keys, flapWithinMs),
  saveAlerts: (states) => saveAlerts(tx, model.version, states),
  alertsOfDigest: (digestId) => alertsOfDigest(tx, digestId),
  countOpenAlerts: () => countOpenAlerts(tx),
  alertsWithStrayNews: (limit) => alertsWithStrayNews(tx, limit),
  watchedAlerts: (after, limit) => watchedAlerts(tx, model, after, limit),
  openAlerts: (after, limit) => openAlerts(tx, model, after, limit),
  keysOpenedSince: (since, limit) => keysOpenedSince(tx, since, limit),
  lastOpenedAt: () => lastOpenedAt(tx),
  overdueAlerts: (graceMs, limit) => overdueAlerts(tx, graceMs, limit),
  alertsOfOlderModel: (limit) => alertsOfOlderModel(tx, model.version, limit),
  countOpenOf: (ids) => countOpenOf(tx, ids),
  countOpenInThread: (threadId) => countOpenInThread(tx, threadId),
  audit: (limits) => audit(tx, limits),

  loadOpenDigests: () => loadOpenDigests(tx, model),
  loadDigest: (id) => loadDigest(tx, model, id),
  saveDigests: (states) => saveDigests(tx, model.version, states),
  dueDigests: (limit) => dueDigests(tx, limit),
  stormDigestsSince: (since) => stormDigestsSince(tx, model, since),

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
  beginAttempt: (attemptId) => beginAttempt(tx, attemptId),
  recordAttempt: (attemptId, outcome) => recordAttempt(tx, attemptId, outcome),
  updateDelivery: (id, change) => updateDelivery(tx, id, change),
  releaseDeliveries: (channel, waiting, limit) => releaseDeliveries(tx, channel, waiting, limit),
  settleProgress: (id, from, to, done) => settleProgress(tx, id, from, to, done),
  attemptsOf: (deliveryIds) => attemptsOf(tx, deliveryIds),
  lockDeliveryOfAttempt: (attemptId) => lockDeliveryOfAttempt(tx, attemptId),
  confirmAttempt: (attemptId, at) => confirmAttempt(tx, attemptId, at),
  settleUnknownAttempt: (attemptId, providerMessageId) => settleUnknownAttempt(tx, attemptId, providerMessageId),
  replaceDelivery: (id, reason) => replaceDelivery(tx, id, reason),
  threadRoots: (channel, threadIds) => threadRoots(tx, channel, threadIds),
  listDeliveries: (filter) => listDeliveries(tx, filter),
  recordProviderEvents: (events) => recordProviderEvents(tx, events),
  providerEventsOf: (deliveryId) => providerEventsOf(tx, deliveryId),

  channelStates: (channels) => channelStates(tx, channels),
  takeToken: (channel, limit) => takeToken(tx, channel, limit),
  recordChannelResult: (channel, ok, circuit) => recordChannelResult(tx, channel, ok, circuit),
  holdChannel: (channel, forMs) => holdChannel(tx, channel, forMs),
  parkChannel: (channel, reason) => parkChannel(tx, channel, reason),
  unparkChannel: (channel) => unparkChannel(tx, channel),
  verifyChannel: (channel, settings) => verifyChannel(tx, channel, settings),

  insertSilences: (silences) => insertSilences(tx, silences),
  loadSilences: (ids) => loadSilences(tx, ids),
  activeSilences: () => activeSilences(tx),
  listSilences: (filter) => listSilences(tx, filter),
  dueSilences: (limit) => dueSilences(tx, limit),
  markSilenceApplied: (id) => markSilenceApplied(tx, id),
  endSilence: (id, cause, by) => endSilence(tx, id, cause, by),
  alertsOfSilence: (silenceId, after, limit) => alertsOfSilence(tx, model, silenceId, after, limit),

  loadCursor: (name) => loadCursor(tx, name),
  saveCursor: (name, changedAt, data) => saveCursor(tx, name, changedAt, data),
  beat: (component, instance, data) => beat(tx, component, instance, data),
  newestBeats: () => newestBeats(tx),
  quarantine: (entries) => quarantine(tx, entries),
});
