import type { Logger } from '@tocsin/runtime';

/** Work that is done now and then, one piece at a time. */
export interface Lane {
  /** Does it once, after what is waiting. A failure is logged and nothing else comes of it. */
  readonly run: (name: string, work: () => Promise<unknown>) => void;
  /** Does it again and again; a turn that is still waiting or under way when the next one comes lets that one pass. */
  readonly every: (ms: number, name: string, work: () => Promise<unknown>) => void;
  /** Begins nothing any more. */
  readonly close: () => void;
  /** Resolves when nothing is under way. */
  readonly idle: () => Promise<void>;
}

/** Longest pause a timer of the platform can count; a longer one would be none at all. */
const pauseMaxMs = 2_147_483_647;

/** Makes a lane. Its turns never overlap, and however long one takes, no more than one of each name waits. */
export const lane = (log: Pick<Logger, 'warn'>): Lane => {
  const timers: NodeJS.Timeout[] = [];
  const waiting = new Set<string>();
  let busy: Promise<void> = Promise.resolve();
  let closed = false;
  const run: Lane['run'] = (name, work) => {
    if (closed || waiting.has(name)) return;
    waiting.add(name);
    busy = busy
      .then(async () => {
        if (!closed) await work();
      })
      .catch((error: unknown) => log.warn({ err: error }, `${name} failed and will be tried again`))
      .finally(() => waiting.delete(name))
      .then(() => {});
  };
  return {
    run,
    every: (ms, name, work) => {
      timers.push(setInterval(() => run(name, work), Math.min(ms, pauseMaxMs)));
    },
    close: () => {
      closed = true;
      for (const timer of timers) clearInterval(timer);
    },
    idle: () => busy,
  };
};
