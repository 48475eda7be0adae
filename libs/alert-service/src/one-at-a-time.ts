/**
 * Lets one call at a time through, in order. For work that would only wait for the same lock in the database, and by
 * its number push more urgent work back in the queue for it.
 */
export const oneAtATime = (): (<Result>(work: () => Promise<Result>) => Promise<Result>) => {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work, work);
    last = result.catch(() => {});
    return result;
  };
};
