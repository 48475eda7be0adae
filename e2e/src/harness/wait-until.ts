import { setTimeout as delay } from 'node:timers/promises';

/** Pause between two looks, in milliseconds. */
const lookEveryMs = 50;

/** Longest wait if not told otherwise, in milliseconds: far above what is expected, so that it only ends what hangs. */
export const waitDefaultMs = 90_000;

/**
 * Looks again and again until `look` finds something, and answers that. For conditions nobody announces: a row in a
 * database, a line in another process's log.
 *
 * @param what the condition in words, for the message when it does not come
 * @param look what it finds; undefined, null and false mean: not yet
 * @param describe what there is instead, for the message
 */
export const waitUntil = async <Found>(
  what: string,
  look: () => Found | undefined | null | false | Promise<Found | undefined | null | false>,
  { timeoutMs = waitDefaultMs, describe }: { readonly timeoutMs?: number; readonly describe?: () => unknown } = {},
): Promise<Found> => {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() >= endMs) {
      const instead = describe === undefined ? '' : ` Instead: ${JSON.stringify(await describe(), undefined, 2)}`;
      throw new Error(`Waited ${timeoutMs} ms for: ${what}.${instead}`);
    }
    await delay(lookEveryMs);
  }
};
