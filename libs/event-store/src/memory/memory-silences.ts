import type { SilenceEnd } from '@tocsin/alert-model';
import { inMicroseconds, laterInstant } from '../instant.ts';
import { asStoredJsonb, cleanText } from '../jsonb.ts';
import { silencesMax } from '../postgres/active-silences.ts';
import { endedLookedAtDays } from '../postgres/due-silences.ts';
import { silencesPerListMax } from '../postgres/list-silences.ts';
import type { Silence, StoreSession } from '../store.ts';
import type { MemoryTables, MemoryWork } from './memory-tables.ts';

type Silences = Pick<
  StoreSession,
  | 'insertSilences'
  | 'loadSilences'
  | 'activeSilences'
  | 'listSilences'
  | 'dueSilences'
  | 'markSilenceApplied'
  | 'endSilence'
  | 'alertsOfSilence'
>;

const dayMs = 86_400_000;

/** Silences, in memory. */
export const memorySilences = ({ tables, now }: MemoryWork): Silences => ({
  insertSilences: async (silences) => {
    for (const silence of asStoredJsonb(silences)) {
      if (tables.silences.has(silence.id)) continue;
      tables.silences.set(silence.id, {
        ...silence,
        startsAt: inMicroseconds(silence.startsAt),
        end: endInMicroseconds(silence.end),
        createdAt: now(),
        appliedAt: null,
        endedAt: null,
        endedBy: null,
        endCause: null,
      });
    }
  },
  loadSilences: async (ids) => [...new Set(ids)].toSorted(compare).flatMap((id) => tables.silences.get(id) ?? []),
  activeSilences: async () =>
    tables.silences
      .rows()
      .filter(({ endedAt, startsAt, end }) => endedAt === null && startsAt <= now() && !isOver(end, now()))
      .sort((a, b) => compare(a.startsAt, b.startsAt) || compare(a.id, b.id))
      .slice(0, silencesMax),
  listSilences: async ({ ended, limit }) =>
    tables.silences
      .rows()
      .filter(({ endedAt }) => ended || endedAt === null)
      .toReversed()
      .slice(0, Math.min(limit, silencesPerListMax)),
  dueSilences: async (limit) =>
    silencesToCarryOut(tables, now())
      .slice(0, limit)
      .map(({ silence }) => silence),
  markSilenceApplied: async (id) => {
    const silence = tables.silences.get(id);
    if (silence?.appliedAt === null) tables.silences.set(id, { ...silence, appliedAt: now() });
  },
  endSilence: async (id, cause, by) => {
    const silence = tables.silences.get(id);
    if (silence?.endedAt !== null) return false;
    const endedBy = by === null ? null : cleanText(by);
    tables.silences.set(id, { ...silence, endedAt: now(), endCause: cause, endedBy });
    return true;
  },
  alertsOfSilence: async (silenceId, after, limit) =>
    tables.alerts
      .rows()
      .filter(
        ({ id, state, silences }) => state !== 'resolved' && silenceId in silences && (after === null || id > after),
      )
      .sort((a, b) => compare(a.id, b.id))
      .slice(0, limit),
});

/** Silences whose start or end had come by then and has not been carried out, the longest due first. */
export const silencesToCarryOut = (
  tables: Pick<MemoryTables, 'silences' | 'alerts'>,
  by: string,
  graceMs = 0,
): readonly { readonly silence: Silence; readonly dueAt: string }[] => {
  const latest = laterInstant(by, -graceMs);
  const endedSince = laterInstant(by, -endedLookedAtDays * dayMs);
  const muting = new Set(
    tables.alerts.rows().flatMap(({ state, silences }) => (state === 'resolved' ? [] : Object.keys(silences))),
  );
  return tables.silences
    .rows()
    .flatMap((silence) => {
      const { id, startsAt, appliedAt, end, endedAt } = silence;
      if (endedAt !== null)
        return endedAt > endedSince && endedAt <= latest && muting.has(id) ? [{ silence, dueAt: endedAt }] : [];
      if (appliedAt === null) return startsAt <= latest ? [{ silence, dueAt: startsAt }] : [];
      return end.until === 'time' && end.at <= latest ? [{ silence, dueAt: end.at }] : [];
    })
    .sort((a, b) => compare(a.dueAt, b.dueAt) || compare(a.silence.id, b.silence.id));
};

const isOver = (end: SilenceEnd, now: string): boolean => end.until === 'time' && end.at <= now;

const endInMicroseconds = (end: SilenceEnd): SilenceEnd =>
  end.until === 'time' ? { ...end, at: inMicroseconds(end.at) } : end;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
