/**
 * Tocsin's own tables: the log of events, the read models folded from it, the ledger of deliveries, outcomes, cursors
 * and heartbeats. What is decided is written through a store's transactions; what people ask is read by the functions
 * below. There is a twin in memory for tests, held to the same contract.
 */
export { OpenKeyConflict, VersionConflict } from './store.ts';
export type {
  Append,
  AuditCounts,
  ChannelState,
  ConditionEnd,
  ConditionSubject,
  Delivery,
  DeliveryAttempt,
  DeliveryState,
  EndedCondition,
  HeldFailure,
  IntendedRepair,
  NewDelivery,
  OpenCondition,
  ProviderEvent,
  SettledRepair,
  Silence,
  StoreSession,
  StoredEvent,
  WatchedAlert,
} from './store.ts';
export { asStoredJsonb, cleanText, toJsonb } from './jsonb.ts';
export { inMicroseconds } from './instant.ts';

export { createPostgresStore } from './postgres/postgres-store.ts';
export type { PostgresStore } from './postgres/postgres-store.ts';
export type { PostgresSession } from './postgres/postgres-session.ts';
export type { FoldAlert } from './postgres/fold.ts';
export type { DeliveryChange } from './postgres/update-delivery.ts';
export { endCanaries } from './postgres/end-canaries.ts';
export { readCanaries } from './postgres/read-canaries.ts';
export type { CanaryRecord } from './postgres/read-canaries.ts';
export { sendCanary } from './postgres/send-canary.ts';
export type { NewSilence } from './postgres/insert-silences.ts';
export type { OverdueAlert } from './postgres/overdue-alerts.ts';
export type { NewestBeat } from './postgres/newest-beats.ts';
export type { Circuit } from './postgres/record-channel-result.ts';
export { silencesMax } from './postgres/active-silences.ts';
export { auditMax } from './postgres/audit.ts';
export { deliveriesPerListMax } from './postgres/list-deliveries.ts';
export { forgetCanaryJobs } from './postgres/forget-canary-jobs.ts';
export { forgetDeliveries } from './postgres/forget-deliveries.ts';
export { forgetOutcomes } from './postgres/forget-outcomes.ts';
export { forgetProviderEvents } from './postgres/forget-provider-events.ts';
export { forgetRepairs } from './postgres/forget-repairs.ts';
export { forgetSilences } from './postgres/forget-silences.ts';
export { forgetSuccesses } from './postgres/forget-successes.ts';

export { formatGlobalCursor, parseGlobalCursor } from './reading/global-cursor.ts';
export type { GlobalCursor } from './reading/global-cursor.ts';
export { eventsPerPageMax, readEvents } from './reading/read-events.ts';
export type { EventPage, ReadEventsOptions } from './reading/read-events.ts';
export { storedEvent } from './postgres/event-row.ts';
export type { EventRow } from './postgres/event-row.ts';
export { cursorBeforeLatest } from './reading/cursor-before-latest.ts';
export { readLogByStream } from './reading/read-log-by-stream.ts';
export type { LogBounds } from './reading/read-log-by-stream.ts';
export { findModelsWithoutEvents } from './reading/find-models-without-events.ts';
export { readStoredModels } from './reading/read-stored-models.ts';
export type { StoredRow } from './reading/read-stored-models.ts';
export { streamEvents } from './reading/stream-events.ts';
export type { AlertRecord } from './reading/alert-record.ts';
export { alertsPerListMax, listAlerts } from './reading/list-alerts.ts';
export type { ListAlertsOptions } from './reading/list-alerts.ts';
export { AmbiguousAlert, findAlert } from './reading/find-alert.ts';
export type { OutcomeRecord } from './reading/outcome-record.ts';
export { outcomesOfJob } from './reading/outcomes-of-job.ts';
export { unaccountedOutcomes } from './reading/unaccounted-outcomes.ts';
export type { UnaccountedOutcomes } from './reading/unaccounted-outcomes.ts';
export { ledgerOfAlert } from './reading/ledger-of-alert.ts';
export type { LedgerEntry } from './reading/ledger-of-alert.ts';
export { quarantined } from './reading/quarantined.ts';
export type { QuarantineRecord } from './reading/quarantined.ts';
export { heartbeats } from './reading/heartbeats.ts';
export type { Heartbeat } from './reading/heartbeats.ts';
export { readModels } from './reading/read-models.ts';
export type { ModelCursor, ModelPage, StoredModel } from './reading/read-models.ts';

export { createMemoryStore } from './memory/memory-store.ts';
export type { MemorySession, MemoryStore } from './memory/memory-store.ts';
