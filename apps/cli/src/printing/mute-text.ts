import type { Mute, SilenceEnd } from '@tocsin/alert-model';
import { shortId } from './job-name.ts';
import { utcTime } from './moment.ts';

/** `until 2026-03-02 09:00:00 UTC`, `until it is resolved`. */
export const untilText = (end: SilenceEnd): string =>
  end.until === 'time' ? `until ${utcTime(end.at)} UTC` : 'until it is resolved';

/** `silence 1a2b3c4d of ada (database moves)`: by id, who, and why. */
export const muteText = (silenceId: string, { by, reason }: Pick<Mute, 'by' | 'reason'>): string =>
  `silence ${shortId(silenceId)} of ${by}${reason === null ? '' : ` (${reason})`}`;
