import type { MessageItem } from './digest-message.ts';
import { compareInstants } from './instant.ts';
import { countOf, thousands, when } from './phrases.ts';

/** "All quiet", "All quiet, 3 open" */
export const quietSubjectOf = (openAlerts: number): string =>
  openAlerts === 0 ? 'All quiet' : `All quiet, ${thousands(openAlerts)} open`;

/** What is still open, or that nothing is: one line. */
export const quietHeadlineOf = (items: readonly MessageItem[], openAlerts: number): string => {
  if (openAlerts === 0) return 'All quiet: nothing is open, and Tocsin is watching.';
  const oldest = items.map(({ since }) => since).toSorted(compareInstants)[0];
  const critical = sumOf(items.filter(({ severity }) => severity === 'critical'));
  const facts = [
    ...(critical > 0 ? [critical === openAlerts ? 'critical' : `${thousands(critical)} of them critical`] : []),
    ...(oldest === undefined ? [] : [`the oldest since ${when(oldest)}`]),
  ];
  const is = openAlerts === 1 ? 'is' : 'are';
  return `Nothing new. ${countOf(openAlerts, 'alert')} ${is} still open${facts.length === 0 ? '' : `, ${facts.join(', ')}`}.`;
};

const sumOf = (items: readonly MessageItem[]): number => items.reduce((sum, { alerts }) => sum + alerts, 0);
