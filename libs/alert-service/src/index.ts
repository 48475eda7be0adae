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
export { oneAtATime } from './one-at-a-time.ts';
export { settleDelivery } from './settle-delivery.ts';
export { escalateDigest, lapseAcknowledgement } from './escalate.ts';
export { acknowledge, resolveByHand, unacknowledge } from './commands.ts';
export type { CommandResult, LeaseRequest } from './commands.ts';
export { heldMaxMs, rejoinStrayNews, sweep, sweepMax } from './sweep.ts';
export type { Swept } from './sweep.ts';
export { toPolicy } from './to-policy.ts';
