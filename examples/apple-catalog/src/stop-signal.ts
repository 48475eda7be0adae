/**
 * Calls `stop` once, on the first SIGTERM, SIGINT or SIGHUP, or when the parent process that holds an IPC channel to
 * this one is gone. Later signals change nothing; what has to end at once is ended by SIGKILL.
 */
export function onStopSignal(stop: (reason: string) => Promise<void> | void): void {
  let stopping = false;
  const stopOnce = (reason: string): void => {
    if (stopping) return;
    stopping = true;
    Promise.resolve(stop(reason)).catch((error: unknown) => {
      console.error(`could not stop cleanly after ${reason}:`, error);
      process.exit(1);
    });
  };
  process.once('disconnect', () => stopOnce('loss of the parent process'));
  // `on`, not `once`: a second signal would otherwise end the process by default, half way through an orderly stop.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stopOnce(signal));
}
