import { evolveAlert } from '@tocsin/alert-model';
import type { AlertEvent, AlertState } from '@tocsin/alert-model';
import type { StoredEvent } from '@tocsin/event-store';
import { expect } from 'vitest';

/** What became of every failure on every route of its alert. Each failure counts once for each route. */
export interface NewsBooks {
  /** In a message that a provider accepted. */
  readonly told: number;
  /** In no message of their own, because one that said that all is over had counted them. */
  readonly covered: number;
  /** Over before the end of the silence that muted them; nobody had been told of the alert. */
  readonly muted: number;
}

/** What of a failure's news is gone, and where it is on record. */
type Gone = keyof NewsBooks | 'lost';

/**
 * Follows every failure through the log: from its detection into digests, back out of them, and to people. Fails when news
 * vanishes that nobody was told of, unless a silence muted it to the end.
 */
export const expectEveryFailureTold = (events: readonly StoredEvent[]): NewsBooks => {
  const books = { told: 0, covered: 0, muted: 0 };
  const states = new Map<string, AlertState>();
  const lost: string[] = [];
  for (const { streamId, version, event } of events) {
    if (streamId.startsWith('digest')) continue;
    const before = states.get(streamId) ?? null;
    const after = evolveAlert(before, event as AlertEvent);
    states.set(streamId, after);
    for (const { name } of after.routes) {
      const arrived = event.type === 'FailureDetected' ? 1 : 0;
      const gone = (before === null ? 0 : held(before, name)) + arrived - held(after, name);
      if (gone === 0) continue;
      const told = before === null ? 0 : toldBy(before, event as AlertEvent, name);
      books.told += told;
      const rest = gone - told;
      if (rest === 0) continue;
      const where = whereIs(after, name);
      if (where === 'lost') lost.push(`${rest} of ${after.key} on ${name} by ${event.type}, version ${version}`);
      else books[where] += rest;
    }
  }
  expect(lost, 'failures whose news vanished').toEqual([]);
  return books;
};

/** Failures that wait to be told on a route. */
const held = ({ pending, batches }: AlertState, route: string): number =>
  (pending[route]?.failures ?? 0) +
  Object.values(batches)
    .filter((entry) => entry.route === route && entry.purpose !== 'escalation')
    .reduce((sum, { batch }) => sum + batch.failures, 0);

/** Failures in the digest that somebody was told by this event. */
const toldBy = ({ batches }: AlertState, event: AlertEvent, route: string): number => {
  if (event.type !== 'AlertNotified' && event.type !== 'ResolutionNotified') return 0;
  const entry = batches[event.data.digestId];
  return entry === undefined || entry.route !== route || entry.purpose === 'escalation' ? 0 : entry.batch.failures;
};

const whereIs = ({ resolution, silences, told, resolutionToldTo }: AlertState, route: string): Gone => {
  const here = told.filter((entry) => entry.route === route);
  if (resolution === null) return 'lost';
  if (here.length === 0) return Object.keys(silences).length > 0 ? 'muted' : 'lost';
  return here.every(({ channel }) => resolutionToldTo.includes(`${route} ${channel}`)) ? 'covered' : 'lost';
};
