/** The part of `fetch` that the dead-man's switch needs. */
export type FetchLike = (
  url: string,
  options: { readonly method: 'GET'; readonly signal: AbortSignal; readonly redirect: 'manual' },
) => Promise<{ readonly status: number; readonly body?: { cancel(): Promise<void> } | null }>;

/** Longest time the dead-man's switch may take to answer, in milliseconds. */
export const deadmanTimeoutMs = 10_000;

/**
 * Tells an external dead-man's switch that all is well: one GET, no redirects. Answers null when it took it, or what went
 * wrong, without the address, which is a secret. Never throws.
 */
export const pingDeadman = async (fetch: FetchLike, url: string, stop: AbortSignal): Promise<string | null> => {
  try {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(deadmanTimeoutMs)]);
    const response = await fetch(url, { method: 'GET', signal, redirect: 'manual' });
    await response.body?.cancel();
    return response.status >= 200 && response.status < 300 ? null : `it answered ${response.status}`;
  } catch (error) {
    if (!(error instanceof Error)) return 'it could not be reached';
    const { cause } = error;
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? ` (${String(cause.code)})` : '';
    return error.name === 'TimeoutError'
      ? `it gave no answer within ${deadmanTimeoutMs / 1_000} s`
      : `it could not be reached${code}`;
  }
};
