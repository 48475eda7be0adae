import { isConnectionError } from '@tocsin/runtime';

/**
 * Whether an error comes from what a row holds rather than from the table: data exceptions (class 22) and damaged data
 * (class XX), https://www.postgresql.org/docs/current/errcodes-appendix.html.
 */
export const isRowError = (error: unknown): boolean => {
  if (isConnectionError(error) || !(error instanceof Error)) return false;
  const state: unknown = Reflect.get(error, 'code');
  return typeof state === 'string' && /^(22|XX)[0-9A-Z]{3}$/.test(state);
};
