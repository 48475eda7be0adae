import type { ChildProgram } from './child-program.ts';
import { endedEarly } from './start-tocsin.ts';

const replacementsMax = 100;

/** Keeps one worker running, as a PaaS does. */
export interface WorkerSupervisor {
  readonly pid: () => number;
  /** SIGKILLs the worker and waits until another one has taken its place. */
  readonly killWorker: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Rejects when the worker ends by itself: what is killed from outside is replaced, what crashes is a fault. */
  readonly crashed: Promise<never>;
}

/**
 * Starts a worker and replaces it whenever it was killed by a signal, at most 100 times.
 *
 * @param onReplaced is called with the signal that ended the old worker, once the new one runs.
 */
export async function superviseWorker(
  start: () => Promise<ChildProgram>,
  onReplaced: (how: string, pid: number) => void,
): Promise<WorkerSupervisor> {
  const crash = Promise.withResolvers<never>();
  // Whoever races against it sees the rejection; if nobody does any more, it must not end the process.
  crash.promise.catch(() => undefined);
  let stopping = false;
  let replacements = 0;
  let worker = await start();
  let replaced = Promise.withResolvers<void>();

  const watch = async (): Promise<void> => {
    for (;;) {
      const how = await worker.ended;
      if (stopping) return;
      replacements += 1;
      if (!how.startsWith('SIG') || replacements > replacementsMax) throw endedEarly(worker, how);
      worker = await start();
      onReplaced(how, worker.pid);
      replaced.resolve();
      replaced = Promise.withResolvers();
    }
  };
  watch().catch(crash.reject);

  return {
    pid: () => worker.pid,
    killWorker: async () => {
      const next = replaced.promise;
      worker.kill();
      await Promise.race([next, crash.promise]);
    },
    stop: async () => {
      stopping = true;
      await worker.stop();
    },
    crashed: crash.promise,
  };
}
