import type { StatementParts } from './source-statements.ts';

/** First and last change of a failure. Relies on the index of the scan. */
export const figureStatement = (parts: StatementParts): string => {
  const changed = parts.ref('changedAt');
  const edge = (bound: string, direction: string): string => `(
        select ${parts.instant('changedAt')}
        from ${parts.from} as job
        where ${parts.inStates('failed', 'dead')}
          and ${changed} ${bound}
        order by ${changed} ${direction}
        limit 1
      )`;
  return `
    select
      ${edge("> '-infinity'", 'asc')} as oldest,
      ${edge("< 'infinity'", 'desc')} as newest`;
};
