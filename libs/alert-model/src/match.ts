import type { Match, Severity, TimeWindow } from './policy.ts';
import type { FailureKind } from './signal.ts';

/** What a match looks at. A part that is left out is not looked at: severity is known only once rules have decided it. */
export interface Subject {
  readonly source: string;
  readonly jobType: string;
  readonly targetId: string | null;
  readonly kind?: FailureKind;
  readonly severity?: Severity;
  /** Adapter of the watched table; empty when the table is none that is watched. */
  readonly adapter?: string;
  /** Whether it happens in one of these hours. */
  readonly isDuring?: (windows: readonly TimeWindow[]) => boolean;
}

/** Whether a rule, route or silence is for this. Every field that the match sets must fit. */
export const matches = (match: Match, subject: Subject): boolean =>
  anyGlob(match.source, subject.source) &&
  anyGlob(match.jobType, subject.jobType) &&
  anyGlob(match.targetId, subject.targetId ?? '') &&
  (match.kind === undefined || subject.kind === undefined || match.kind.includes(subject.kind)) &&
  (match.severity === undefined || subject.severity === undefined || match.severity.includes(subject.severity)) &&
  (subject.adapter === undefined || anyGlob(match.adapter, subject.adapter)) &&
  (match.during === undefined || subject.isDuring === undefined || subject.isDuring(match.during));

/** Whether a pattern with `*` for any run of characters fits the whole text; case matters. */
export const globMatches = (pattern: string, text: string): boolean => {
  const parts = pattern.split('*');
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return pattern === text;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  // Leftmost placement of each middle part is enough, and needs no backtracking.
  let at = first.length;
  const end = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
};

const anyGlob = (patterns: readonly string[] | undefined, text: string): boolean =>
  patterns === undefined || patterns.some((pattern) => globMatches(pattern, text));
