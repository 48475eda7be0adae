/** The notifier: lifecycle, digests, escalation and delivery. */
export { createNotifier } from './notifier.ts';
export type { Notifier, NotifierOptions, NotifierStatus } from './notifier.ts';
export { openNotifier } from './open-notifier.ts';
export type { OpenNotifierOptions } from './open-notifier.ts';
export type { AuditResult, SelfWatchStatus } from './self-watch/self-watch.ts';
export type { FetchLike } from './self-watch/ping-deadman.ts';
