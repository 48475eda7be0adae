/** A task that runs again and again until it is stopped. */
export interface Repetition {
  /** No run begins after this; resolves when the one under way has ended. */
  stop(): Promise<void>;
}

/**
 * Runs `task` now and then again `seconds` after each end, never twice at the same time. A task that throws is run again
 * like any other; `onError` hears the first error of a row only, because a database that is down fails every run.
 */
export function repeatEvery(seconds: number, task: () => Promise<void>, onError: (error: unknown) => void): Repetition {
  let stopped = false;
  let failing = false;
  let timer: NodeJS.Timeout | undefined;

  const run = async (): Promise<void> => {
    try {
      await task();
      failing = false;
    } catch (error) {
      if (!failing && !stopped) onError(error);
      failing = true;
    }
    if (!stopped) timer = setTimeout(() => void (current = run()), seconds * 1000);
  };
  let current = run();

  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await current;
    },
  };
}
