import { setTimeout as delay } from 'node:timers/promises';
import type { AlertId, DeliveryId } from '@tocsin/alert-model';
import type { LeaseRequest } from '@tocsin/alert-service';
import type { Queryable } from '@tocsin/runtime';
import type { Operator } from './operator.ts';
import type { Random } from './random.ts';

/** What was done, by command. */
export type Commands = Readonly<Record<string, number>>;

/** Somebody who takes alerts, gives them back, mutes and unmutes, whatever happens to the database. */
export interface RestlessOperator {
  readonly done: () => Commands;
  /** Ends it; resolves when the last command has ended. */
  readonly stop: () => Promise<void>;
}

export interface RestlessOperatorOptions {
  /** Pause between two commands, in milliseconds. */
  readonly pauseMs: { readonly min: number; readonly max: number };
  /** How long a silence or a lease lasts, in milliseconds. */
  readonly spanMs: { readonly min: number; readonly max: number };
  readonly random: Random;
}

/** How long to wait after the database was away, in milliseconds. */
const awayMs = 200;

/**
 * Gives command after command: takes alerts under every kind of lease, gives them back, closes some by hand, makes
 * silences that end by themselves, by hand or with the alert. A command that the database does not take is left out.
 */
export const startRestlessOperator = (
  queryable: Queryable,
  operator: Operator,
  { pauseMs, spanMs, random }: RestlessOperatorOptions,
): RestlessOperator => {
  const stopping = new AbortController();
  const done = new Map<string, number>();
  const span = (): number => Math.round(random.between(spanMs.min, spanMs.max));
  const one = async <Id extends string>(text: string): Promise<Id | null> => {
    const { rows } = await queryable.query<{ readonly id: Id }>(text);
    return rows.length === 0 ? null : random.pick(rows).id;
  };
  const openAlert = (condition = 'true') =>
    one<AlertId>(
      `select id from tocsin.alerts
       where state <> 'resolved' and data ->> 'source' <> 'tocsin' and ${condition}
       order by id limit 200`,
    );
  const acknowledge = (lease: () => LeaseRequest) => async (): Promise<boolean> => {
    const id = await openAlert("state <> 'acknowledged'");
    return id !== null && operator.acknowledge(id, lease());
  };
  const commands: Readonly<Record<string, () => Promise<boolean>>> = {
    'ack until a time': acknowledge(() => ({ until: 'span', ms: span() })),
    'ack until a success': acknowledge(() => ({ until: 'success' })),
    'ack until 3 failures': acknowledge(() => ({ until: 'failures', count: 3 })),
    'ack until another cause': acknowledge(() => ({ until: 'signature-change' })),
    unack: async () => {
      const id = await openAlert("state = 'acknowledged'");
      return id !== null && operator.unacknowledge(id);
    },
    'ack a message': async () => {
      const id = await one<DeliveryId>(
        `select id from tocsin.deliveries
         where state = 'accepted' and purpose <> 'heartbeat' and cardinality(alert_ids) < 5
         order by accepted_at desc limit 20`,
      );
      return id !== null && operator.acknowledgeDelivery(id);
    },
    resolve: async () => {
      const id = await openAlert();
      return id !== null && operator.resolve(id);
    },
    'silence for a time': async () =>
      (await operator.silence(
        { targetId: [`target-${Math.floor(random.next() * 10)}*`] },
        { until: 'span', ms: span() },
      )) !== null,
    'silence until resolved': async () =>
      (await operator.silence({ targetId: [`target-${Math.floor(random.next() * 10)}`] }, { until: 'resolved' })) !==
      null,
    'end a silence': async () => {
      const id = await one('select id from tocsin.silences where ended_at is null order by id limit 100');
      return id !== null && operator.endSilence(id);
    },
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const name = random.pick(Object.keys(commands));
      try {
        if ((await commands[name]?.()) === true) done.set(name, (done.get(name) ?? 0) + 1);
      } catch {
        await delay(awayMs);
      }
      await delay(random.between(pauseMs.min, pauseMs.max), undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const running = run();
  return {
    done: () => Object.fromEntries(done),
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
};
