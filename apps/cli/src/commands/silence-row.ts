import type { Match } from '@tocsin/alert-model';
import type { Silence } from '@tocsin/event-store';
import { cleanLine } from '../printing/clean-line.ts';
import { utcTime } from '../printing/moment.ts';

/** What a silence mutes: `source apple, kind stuck`, or `everything`. */
export const matchText = (match: Match): string => {
  const { source, jobType, targetId, severity, kind } = match;
  const parts = Object.entries({ source, 'job type': jobType, target: targetId, severity, kind }).flatMap(
    ([name, wanted]) => (wanted === undefined ? [] : [`${name} ${wanted.join(' or ')}`]),
  );
  return cleanLine(parts.length === 0 ? 'everything' : parts.join(', '));
};

/** `until 2026-03-02 09:00:00 UTC`, `until 3 alerts are resolved`, `ended by ada`. */
export const endText = ({ end, endedAt, endedBy, endCause, alertIds }: Silence): string => {
  if (endedAt !== null)
    return cleanLine(
      endCause === 'ended'
        ? `ended ${utcTime(endedAt)} UTC by ${endedBy ?? 'somebody'}`
        : `over since ${utcTime(endedAt)} UTC`,
    );
  if (end.until === 'time') return `until ${utcTime(end.at)} UTC`;
  return alertIds.length === 1 ? 'until its alert is resolved' : `until ${alertIds.length} alerts are resolved`;
};
