import { setTimeout as delay } from 'node:timers/promises';

const lookEveryDefaultMs = 100;

/**
 * Looks again and again until `look` answers something other than undefined, and answers that.
 *
 * @throws Error naming `what` when it has not come after `timeoutMs`
 */
export const waitUntil = async <Found>(
  what: string,
  look: () => Promise<Found | undefined>,
  { timeoutMs, lookEveryMs = lookEveryDefaultMs }: { readonly timeoutMs: number; readonly lookEveryMs?: number },
): Promise<Found> => {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() >= endMs) throw new Error(`Waited ${timeoutMs} ms for ${what}.`);
    await delay(lookEveryMs);
  }
};
