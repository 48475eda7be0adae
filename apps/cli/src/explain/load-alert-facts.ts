import { alertModelVersion, alertStream, evolveAlert } from '@tocsin/alert-model';
import type { AlertId, AlertState, DigestId } from '@tocsin/alert-model';
import { toPolicy } from '@tocsin/alert-service';
import { createPostgresStore, heartbeats, ledgerOfAlert, streamEvents } from '@tocsin/event-store';
import { InvariantError } from '@tocsin/runtime';
import type { OpenDatabase } from '../database/with-database.ts';
import { foldSteps } from '../replay/fold-steps.ts';
import type { AlertFacts } from './alert-explanation.ts';
import { readProviderEvents } from './read-provider-events.ts';

/** Digests explained one by one; of an alert that was in more, the latest. */
const digestsMax = 50;
/** A part of the product that was silent for longer is taken for stopped. */
export const heartbeatStaleMs = 60_000;

/** Reads everything about an alert that an explanation is made from. */
export const loadAlertFacts = async (
  { pool, now, config }: Pick<OpenDatabase, 'pool' | 'now' | 'config'>,
  alertId: AlertId,
): Promise<AlertFacts> => {
  const events = await streamEvents(pool, alertStream(alertId));
  const state = foldSteps(events).at(-1)?.after;
  if (state === undefined) throw new InvariantError(`Alert ${alertId} has no events; the log is damaged.`);
  const digestIds = [
    ...new Set(events.flatMap(({ event }) => (event.type === 'AlertBatched' ? [event.data.digestId] : []))),
  ];
  const store = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });
  const digests = await store.read(async (session) => {
    const found = [];
    for (const id of digestIds.slice(-digestsMax) as readonly DigestId[]) found.push(await session.loadDigest(id));
    return found.filter((digest) => digest !== null);
  });
  const alive = (await heartbeats(pool)).some(
    ({ component, ageMs }) => component === 'notifier' && ageMs < heartbeatStaleMs,
  );
  const janitor = {
    rules: toPolicy(config).rules,
    tables: new Set(
      config.jobs.flatMap(({ name, janitorDatabaseUrl }) => (janitorDatabaseUrl === undefined ? [] : name)),
    ),
  };
  const deliveries = await ledgerOfAlert(pool, alertId);
  const providerEvents = await readProviderEvents(
    pool,
    deliveries.map(({ delivery }) => delivery.id),
  );
  const names = [...channelsOf(state), ...deliveries.map(({ delivery }) => delivery.channel)];
  const channels = await store.read((session) => session.channelStates([...new Set(names)]));
  return {
    state,
    events,
    digests,
    deliveries,
    providerEvents,
    channels: [...channels.values()],
    notifierAlive: alive,
    janitor,
    now,
  };
};

/** Whatever its routes may still use. */
const channelsOf = ({ routes }: AlertState): readonly string[] =>
  routes.flatMap(({ channels, fallback, escalation }) => [
    ...channels,
    ...fallback,
    ...(escalation?.levels.flatMap((level) => level.channels) ?? []),
  ]);
