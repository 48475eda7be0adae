/**
 * The value below which the share `q` (0 to 1) of the values lies, by the nearest-rank method: always a value that was
 * measured, never one in between.
 *
 * @throws RangeError when there are no values or `q` is no share
 */
export const quantile = (values: readonly number[], q: number): number => {
  if (!(q >= 0 && q <= 1)) throw new RangeError(`${q} is no share; give a number from 0 to 1.`);
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('There are no values to take a quantile of; measure at least once.');
  return value;
};

/** The middle value; of an even number of values, the lower of the two in the middle. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);
