import { setTimeout as delay } from 'node:timers/promises';
import { StoryError } from './story-error.ts';

const lookEveryMs = 200;
const waitMs = 60_000;

/**
 * Looks again and again until `look` finds something, and gives what it found.
 *
 * @param what completes the sentence "waited 60 s for …".
 * @throws StoryError when nothing was found in time (default: 60 s).
 */
export async function waitFor<T>(what: string, look: () => Promise<T | undefined>, timeoutMs = waitMs): Promise<T> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > until) throw new StoryError(`waited ${timeoutMs / 1000} s for ${what}`);
    await delay(lookEveryMs);
  }
}
