/** A counter that can be believed: a whole number from 0 up. */
export const toCount = (value: number | string | null): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
