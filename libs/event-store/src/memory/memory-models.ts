import type { AlertState } from '@tocsin/alert-model';
import { inMicroseconds, laterInstant } from '../instant.ts';
import { asStoredJsonb, cleanText } from '../jsonb.ts';
import { OpenKeyConflict } from '../store.ts';
import type { StoreSession } from '../store.ts';
import type { MemoryTables, MemoryWork } from './memory-tables.ts';

type Models = Pick<
  StoreSession,
  | 'loadAlerts'
  | 'loadOpenAlertsByKey'
  | 'loadPredecessors'
  | 'saveAlerts'
  | 'countOpenAlerts'
  | 'alertsWithStrayNews'
  | 'watchedAlerts'
  | 'loadOpenDigests'
  | 'loadDigest'
  | 'saveDigests'
  | 'dueDigests'
>;

const recentMs = 7 * 24 * 60 * 60 * 1000;

/** Read models of alerts and digests, in memory. */
export const memoryModels = ({ tables, now }: MemoryWork): Models => {
  const openAlerts = () =>
    tables.alerts
      .rows()
      .filter(({ state }) => state !== 'resolved')
      .sort(byId);
  const openDigests = () => tables.digests.rows().filter(({ state }) => state === 'open');
  return {
    loadAlerts: async (ids) => [...new Set(ids)].flatMap((id) => tables.alerts.get(id) ?? []),
    loadOpenAlertsByKey: async (keys) =>
      [...new Set(keys.map(cleanText))].sort(byBytes).flatMap((key) => openAlertOf(tables, key) ?? []),
    loadPredecessors: async (keys, flapWithinMs = 0) => {
      const since = laterInstant(now(), -recentMs);
      return [...new Set(keys.map(cleanText))].sort(byBytes).flatMap((key) => {
        const alerts = [...(tables.keys.get(key)?.all ?? [])].flatMap((id) => tables.alerts.get(id) ?? []);
        const resolved = alerts.flatMap(({ id, resolution }) =>
          resolution === null ? [] : [{ alertId: id, resolvedAt: inMicroseconds(resolution.resolvedAt) }],
        );
        const newest = resolved.sort((a, b) => byBytes(b.resolvedAt, a.resolvedAt) || byBytes(b.alertId, a.alertId))[0];
        const recentCount = alerts.filter(({ openedAt }) => inMicroseconds(openedAt) > since).length;
        const flapsSince = laterInstant(now(), -flapWithinMs);
        const flapCount = flapWithinMs > 0 ? resolved.filter(({ resolvedAt }) => resolvedAt > flapsSince).length : 0;
        return newest === undefined ? [] : [{ key, ...newest, recentCount, flapCount }];
      });
    },
    saveAlerts: async (states) => {
      const latest = [...new Map(states.map((state) => [state.id, asStoredJsonb(state)])).values()];
      for (const state of latest.filter((saved) => saved.state === 'resolved')) saveAlert(tables, state);
      for (const state of latest.filter((saved) => saved.state !== 'resolved')) saveAlert(tables, state);
    },
    countOpenAlerts: async () => openAlerts().filter(({ key }) => key !== 'job/tocsin/canary').length,
    alertsWithStrayNews: async (limit) =>
      tables.alerts
        .rows()
        .filter(hasNewsToTell)
        .sort(byId)
        .slice(0, limit)
        .map(({ id }) => id),
    watchedAlerts: async (after, limit) =>
      openAlerts()
        .filter(({ id }) => after === null || id > after)
        .slice(0, limit)
        .map(({ id, source, chain, owed, successes, firstFailedAt }) => ({
          id,
          source,
          chain,
          owed,
          successes,
          firstFailedAt,
        })),

    loadOpenDigests: async () =>
      openDigests().sort(
        (a, b) =>
          byBytes(a.route, b.route) ||
          byBytes(a.purpose, b.purpose) ||
          byBytes(inMicroseconds(a.dueAt), inMicroseconds(b.dueAt)) ||
          byBytes(a.id, b.id),
      ),
    loadDigest: async (id) => tables.digests.get(id) ?? null,
    saveDigests: async (states) => {
      for (const state of states) tables.digests.set(state.id, asStoredJsonb(state));
    },
    dueDigests: async (limit) =>
      openDigests()
        .map(({ id, dueAt }) => ({ id, dueAt: inMicroseconds(dueAt) }))
        .filter(({ dueAt }) => dueAt <= now())
        .sort((a, b) => byBytes(a.dueAt, b.dueAt) || byBytes(a.id, b.id))
        .slice(0, limit)
        .map(({ id }) => id),
  };
};

/** As the index alerts_with_news_to_tell has it. */
const hasNewsToTell = ({ state, pending, silences, flapping }: AlertState): boolean => {
  const news = Object.values(pending);
  if (state === 'acknowledged' || news.length === 0) return false;
  if (state === 'resolved') return true;
  if (Object.keys(silences).length > 0) return false;
  return (
    flapping === null ||
    news.some((batch) => batch.opened || batch.settled || batch.lapse !== null || batch.unsilenced !== null)
  );
};

const openAlertOf = (tables: MemoryTables, key: string): AlertState | undefined => {
  const open = tables.keys.get(key)?.open;
  return typeof open === 'string' ? tables.alerts.get(open) : undefined;
};

const saveAlert = (tables: MemoryTables, state: AlertState): void => {
  const known = tables.keys.get(state.key) ?? { open: null, all: new Set<string>() };
  const open = state.state !== 'resolved';
  if (open && known.open !== null && known.open !== state.id)
    throw new OpenKeyConflict(`Alert ${known.open} is open with the key ${state.key}. Load again and decide again.`);
  const stillOpen = known.open === state.id ? null : known.open;
  const all = known.all.has(state.id) ? known.all : new Set([...known.all, state.id]);
  tables.keys.set(state.key, { open: open ? state.id : stillOpen, all });
  tables.alerts.set(state.id, state);
};

// The test databases sort text by code points; for what keys are made of, JavaScript's order is the same.
const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byId = (a: { readonly id: string }, b: { readonly id: string }): number => byBytes(a.id, b.id);
