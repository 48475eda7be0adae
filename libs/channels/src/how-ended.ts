/**
 * Why an attempt was broken off: its time was over, by the channel's own deadline or by the caller's (whichever fires
 * first; both mean the same), or the caller stops.
 *
 * @param signal the caller's
 * @param deadline the channel's own
 */
export const howEnded = (
  signal: AbortSignal,
  deadline: AbortSignal,
): { readonly timedOut: boolean; readonly stopped: boolean } => ({
  timedOut: deadline.aborted || (signal.aborted && isTimeout(signal.reason)),
  stopped: signal.aborted,
});

// What `AbortSignal.timeout` gives as its reason, also through `AbortSignal.any`.
const isTimeout = (reason: unknown): boolean => reason instanceof DOMException && reason.name === 'TimeoutError';
