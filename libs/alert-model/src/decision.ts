import type { AlertEvent } from './event.ts';

/** What a command came to: events, or the reason why there are none. Repeating a command yields a reason, never an error. */
export type Decision =
  | { readonly events: readonly [AlertEvent, ...AlertEvent[]]; readonly reason: string }
  | { readonly events: readonly []; readonly refused: string };

export const refuse = (refused: string): Decision => ({ events: [], refused });
