import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import type { AlertId, DeliveryId } from '@tocsin/alert-model';
import {
  acknowledge,
  acknowledgeDelivery,
  addSilence,
  endSilence,
  redeliver,
  resolveByHand,
  toPolicy,
  unacknowledge,
} from '@tocsin/alert-service';
import type { LeaseRequest, SilenceEndRequest, TocsinPayloads } from '@tocsin/alert-service';
import { createPostgresStore } from '@tocsin/event-store';
import { createQueue } from '@tocsin/queue';
import { createLogger, loadConfig } from '@tocsin/runtime';
import type { Pool } from '@tocsin/runtime';

/** Somebody at the command line, connected for as long as the story lasts. Each answers whether it was done. */
export interface Operator {
  readonly acknowledge: (alertId: AlertId, lease: LeaseRequest) => Promise<boolean>;
  readonly unacknowledge: (alertId: AlertId) => Promise<boolean>;
  readonly resolve: (alertId: AlertId) => Promise<boolean>;
  /** Everything that a message listed. */
  readonly acknowledgeDelivery: (deliveryId: DeliveryId) => Promise<boolean>;
  readonly silence: (
    match: Readonly<Record<string, readonly string[]>>,
    end: SilenceEndRequest,
  ) => Promise<string | null>;
  readonly endSilence: (id: string) => Promise<boolean>;
  /** Sends a message again, also through a channel that is parked. */
  readonly redeliver: (deliveryId: DeliveryId) => Promise<boolean>;
  readonly leave: () => Promise<void>;
}

const name = 'ada';

/**
 * Gives the commands of the command line without its process, which takes a second to start.
 *
 * @param directory where tocsin.yaml lies: what follows from a command is decided by the same policy as everything else
 */
export const openOperator = async (
  { connectionString, pool }: { readonly connectionString: string; readonly pool: Pool },
  { directory, env }: { readonly directory: string; readonly env: Readonly<Record<string, string>> },
): Promise<Operator> => {
  const log = createLogger({ level: 'silent', name: 'cli' });
  const queue = createQueue<TocsinPayloads>({
    connectionString,
    listen: false,
    parse: { signals: never, timers: never, deliveries: never },
    onUnreadable: () => {},
    onError: () => {},
  });
  await queue.start();
  const context = {
    store: createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion }),
    queue,
    log,
    policy: toPolicy(loadConfig({ env, cwd: directory })),
  };
  const by = { by: name, note: null };
  return {
    acknowledge: async (alertId, lease) => (await acknowledge(context, alertId, { ...by, via: 'cli', lease })).done,
    unacknowledge: async (alertId) => (await unacknowledge(context, alertId, name)).done,
    resolve: async (alertId) => (await resolveByHand(context, alertId, by)).done,
    acknowledgeDelivery: async (deliveryId) =>
      (await acknowledgeDelivery(context, deliveryId, { by: name, via: 'cli' })).acknowledged > 0,
    silence: async (match, end) => {
      const added = await addSilence(context, { match, by: name, reason: 'maintenance', end, startsAt: null });
      return added.done ? added.silence.id : null;
    },
    endSilence: async (id) => (await endSilence(context, id, name)).done,
    redeliver: async (deliveryId) => (await redeliver(context, deliveryId, name)).done,
    leave: () => queue.stop(),
  };
};

const never = (): never => {
  throw new Error('Nothing is fetched from this queue.');
};
