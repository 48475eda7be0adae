import type { ServiceContext } from './service-context.ts';
import type { Decided } from './unit-of-work.ts';

/** Most decisions of one transaction that get a log line of their own; a storm is summed up in one line more. */
export const decisionLinesMax = 100;

/** Writes one line per decision with its reason, and lets the observer know. Called after the commit: what is logged has happened. */
export const logDecided = (
  { log, observer }: Pick<ServiceContext, 'log' | 'observer'>,
  decided: readonly Decided[],
): void => {
  observer?.decided(decided);
  for (const { severity: _severity, version: _version, ...line } of decided.slice(0, decisionLinesMax)) {
    // A refusal is normal where work may be repeated, so it does not belong among what happened.
    if (line.decision === 'Refused') log.debug({ ...line }, 'refused');
    else log.info({ ...line }, line.decision);
  }
  if (decided.length > decisionLinesMax)
    log.info(
      { decisions: decided.length, unlisted: decided.length - decisionLinesMax },
      'more decisions of the same transaction',
    );
};
