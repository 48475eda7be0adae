import type { PartialLimit } from './policy.ts';
import type { FailureSignal } from './signal.ts';

type Counts = NonNullable<FailureSignal['counts']>;

/**
 * Whether a job that succeeded in part is within what its rule allows, so that it is not told. Each limit that is set
 * must be kept. Where the total is not known, or nothing was to be done, there is no share to compare: then as many
 * parts may fail as `failed` says, and none without it.
 */
export const withinPartialLimit = ({ failed, total }: Counts, limit: PartialLimit): boolean => {
  if (limit === 'off' || failed === 0) return true;
  const share = total === null || total === 0 ? null : failed / total;
  if (share === null || limit.ratio === null) return failed <= (limit.failed ?? 0);
  return share <= limit.ratio && (limit.failed === null || failed <= limit.failed);
};

/** `50 of 1,000 parts failed`, or `50 parts failed` where the total is not known. */
export const partialWords = ({ failed, total }: Counts): string =>
  total === null
    ? `${count(failed)} ${failed === 1 ? 'part' : 'parts'} failed`
    : `${count(failed)} of ${count(total)} ${total === 1 ? 'part' : 'parts'} failed`;

const count = (parts: number): string => parts.toLocaleString('en-GB');
