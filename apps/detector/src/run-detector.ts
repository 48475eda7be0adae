import { TocsinError } from '@tocsin/runtime';
import type { Config, Logger, Stoppable } from '@tocsin/runtime';
import { openDetector } from './open-detector.ts';

/**
 * The detector as a process: started, or with `once` one full pass whose end is `finished`.
 *
 * @throws what `openDetector` throws; `finished` rejects with TocsinError `POLL_FAILED` when a table could not be read
 */
export const runDetector = async (
  config: Config,
  log: Logger,
  { once = false }: { readonly once?: boolean } = {},
): Promise<Stoppable> => {
  const { detector, start, close } = await openDetector(config, log);
  if (!once) {
    try {
      await start();
    } catch (error) {
      await close();
      throw error;
    }
    return { stop: close };
  }
  const finished = detector.runOnce().then(({ tables }) => {
    const problems = tables.flatMap(({ problem }) => problem ?? []);
    if (problems.length > 0) throw new TocsinError('POLL_FAILED', problems.join(' '));
  });
  return {
    finished,
    stop: async () => {
      await finished.catch(() => {});
      await close();
    },
  };
};
