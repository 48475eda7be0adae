/** The notifier: lifecycle, digests, escalation and delivery. */
export { createNotifier } from './notifier.ts';
export type { Notifier, NotifierOptions } from './notifier.ts';
export { openNotifier } from './open-notifier.ts';
export type { OpenNotifierOptions } from './open-notifier.ts';
