/**
 * The one shell around the domain: load, decide, then append events and enqueue what follows, in one transaction.
 * Nothing else opens a transaction that touches both the log and the queue.
 */
export { DeliveryTask, TimerTask, parseTask } from './tasks.ts';
export type { TocsinPayloads } from './tasks.ts';
export { defaultSettings } from './service-context.ts';
export type {
  Outgoing,
  Sender,
  ServiceContext,
  ServiceObserver,
  ServiceSettings,
  Session,
  Store,
  TocsinEnqueue,
  TocsinJob,
  TocsinQueue,
} from './service-context.ts';
export { ingestSignals } from './ingest/ingest-signals.ts';
export type { Ingested } from './ingest/ingest-signals.ts';
export { sealDigest } from './seal-digest.ts';
export type { Sealed } from './seal-digest.ts';
export { deliver } from './deliver.ts';
export type { Delivered } from './deliver.ts';
export { noteTested } from './deliver/note-channel.ts';
export { createTurns } from './deliver/turns.ts';
export type { Turns } from './deliver/turns.ts';
export { settleProviderEvents } from './provider-events.ts';
export type { SettledProviderEvents } from './provider-events.ts';
export { bounceDelivery } from './bounce-delivery.ts';
export { redeliver } from './redeliver.ts';
export type { Redelivered } from './redeliver.ts';
export { acknowledgeDelivery } from './acknowledge-delivery.ts';
export type { AcknowledgedDelivery } from './acknowledge-delivery.ts';
export { forgetMissingChannels } from './forget-channels.ts';
export { componentJobId, componentTable, endComponent, raiseComponent } from './component-alerts.ts';
export type { Component } from './component-alerts.ts';
export { oneAtATime } from './one-at-a-time.ts';
export { settleDelivery } from './settle-delivery.ts';
export { escalateDigest, lapseAcknowledgement } from './escalate.ts';
export { settleFlapping } from './settle-flapping.ts';
export { acknowledge, resolveByHand, unacknowledge } from './commands.ts';
export type { CommandResult, LeaseRequest } from './commands.ts';
export {
  addSilence,
  boundAlertsMax,
  carryOutSilence,
  configuredBy,
  endSilence,
  silenceMaxMs,
  syncConfigSilences,
} from './silences.ts';
export type { ConfiguredSilence, SilenceEndRequest, SilenceResult } from './silences.ts';
export { mutes, mutesFor } from './matching-silences.ts';
export { tellAllQuiet } from './heartbeat-digests.ts';
export { catchUp, heldMaxMs, overdueGraceMs, rejoinStrayNews, sweep, sweepMax } from './sweep.ts';
export type { CaughtUp, Swept } from './sweep.ts';
export { refreshModels } from './refresh-models.ts';
export { audit, auditChecks, judgeAudit } from './audit.ts';
export type { Audit, AuditCheck, AuditProblem, DetectorBeat } from './audit.ts';
export { canaryLateMs, judgeCanaries, tellAudit, tellCanary, watchDetector } from './watch-components.ts';
export type { CanaryTime, ComponentLook, ComponentProblem } from './watch-components.ts';
export { toPolicy } from './to-policy.ts';
export type { PolicyConfig } from './to-policy.ts';
