import { addMs } from '@tocsin/alert-model';
import type { FrozenRoute, Instant } from '@tocsin/alert-model';
import { hours } from '@tocsin/runtime';

/** Whether a digest is due when it is because the quiet hours of its route end then. */
export const isKeptByQuietHours = ({ quietHours }: Pick<FrozenRoute, 'quietHours'>, dueAt: Instant): boolean =>
  quietHours.length > 0 && hours.isWithin(quietHours, addMs(dueAt, -1));
