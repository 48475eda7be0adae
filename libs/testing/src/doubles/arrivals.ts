/** Things that arrive at a double, kept in order, with a way to wait for them that neither sleeps nor polls. */
export interface Arrivals<Thing> {
  add(thing: Thing): void;
  all(): readonly Thing[];
  /** Resolves with everything there is as soon as there are `count`; rejects after `timeoutMs`, saying how many came. */
  wait(count: number, timeoutMs: number): Promise<readonly Thing[]>;
}

/** Makes an empty collection. @param what plural name for messages, `mails` */
export const createArrivals = <Thing>(what: string): Arrivals<Thing> => {
  const things: Thing[] = [];
  const listeners = new Set<() => void>();
  return {
    add: (thing) => {
      things.push(thing);
      for (const listener of listeners) listener();
    },
    all: () => [...things],
    wait: (count, timeoutMs) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (things.length < count) return;
          clearTimeout(timer);
          listeners.delete(check);
          resolve([...things]);
        };
        const timer = setTimeout(() => {
          listeners.delete(check);
          reject(new Error(`Waited ${timeoutMs} ms for ${count} ${what}; ${things.length} came.`));
        }, timeoutMs);
        listeners.add(check);
        check();
      }),
  };
};
