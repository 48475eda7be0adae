import type { Lease } from '@tocsin/alert-model';
import { utcTime } from './moment.ts';

/** `until it fails for another reason`, `until 2026-03-02 09:00:00 UTC`. */
export const leaseText = (lease: Lease): string => {
  switch (lease.until) {
    case 'signature-change':
      return 'until it succeeds or fails for another reason';
    case 'success':
      return 'until it succeeds';
    case 'failures':
      return `until it has failed ${lease.count.toLocaleString('en-GB')} ${lease.count === 1 ? 'time' : 'times'} more`;
    case 'time':
      return `until ${utcTime(lease.at)} UTC`;
    default:
      return lease satisfies never;
  }
};
