import { AsyncLocalStorage } from 'node:async_hooks';
import type { AlertState, DigestState, Instant } from '@tocsin/alert-model';
import { InvariantError } from '@tocsin/runtime';
import { inMicroseconds } from '../instant.ts';
import type { Heartbeat } from '../reading/heartbeats.ts';
import type { OutcomeRecord } from '../reading/outcome-record.ts';
import type { QuarantineRecord } from '../reading/quarantined.ts';
import type { ChannelState, Delivery, DeliveryAttempt, Silence, StoreSession, StoredEvent } from '../store.ts';
import { memoryAfterwards } from './memory-afterwards.ts';
import { memoryChannels } from './memory-channels.ts';
import { memoryConditions } from './memory-conditions.ts';
import { memoryHeld } from './memory-held.ts';
import { memoryLedger } from './memory-ledger.ts';
import { memoryLog } from './memory-log.ts';
import { memoryModels } from './memory-models.ts';
import { memoryOutcomes } from './memory-outcomes.ts';
import { memoryRepairs } from './memory-repairs.ts';
import { memorySilences } from './memory-silences.ts';
import { createTables } from './memory-tables.ts';
import type { MemoryWork } from './memory-tables.ts';
import { memoryUpkeep } from './memory-upkeep.ts';
import { memoryWatch } from './memory-watch.ts';
import { createUndoLog } from './undo-log.ts';
import type { UndoLog } from './undo-log.ts';

/** Stands for the transaction where there is none; a queue in memory may register what to undo with it. */
export interface MemoryTransaction {
  /** Called, the latest first, if the transaction is rolled back. */
  readonly onRollback: (takeBack: () => void) => void;
}

/** A session of the store in memory. */
export interface MemorySession extends StoreSession {
  readonly tx: MemoryTransaction;
}

/** Everything in the store, for assertions between transactions. */
export interface MemoryContents {
  readonly events: readonly StoredEvent[];
  readonly alerts: readonly AlertState[];
  readonly digests: readonly DigestState[];
  readonly outcomes: readonly OutcomeRecord[];
  readonly deliveries: readonly Delivery[];
  readonly attempts: readonly DeliveryAttempt[];
  readonly channels: readonly ChannelState[];
  readonly silences: readonly Silence[];
  readonly heartbeats: readonly Omit<Heartbeat, 'ageMs'>[];
  readonly quarantine: readonly QuarantineRecord[];
}

/** The twin of `PostgresStore` in memory. */
export interface MemoryStore {
  readonly transaction: <Result>(name: string, work: (session: MemorySession) => Promise<Result>) => Promise<Result>;
  readonly read: <Result>(work: (session: MemorySession) => Promise<Result>) => Promise<Result>;
  readonly contents: () => MemoryContents;
}

/**
 * A store in memory, for tests of what is built upon the store. Transactions run one after the other; one that throws
 * leaves nothing behind. What is written comes back as Postgres would give it (see asStoredJsonb). A transaction inside
 * another is refused, because it would wait for itself.
 *
 * @param options.now the clock that stands for the database's; it must not go backwards
 */
export const createMemoryStore = (options: { readonly now: () => Instant }): MemoryStore => {
  const undo = createUndoLog();
  const work: MemoryWork = { tables: createTables(undo), now: () => inMicroseconds(options.now()) };
  const current = new AsyncLocalStorage<Status>();
  let last: Promise<unknown> = Promise.resolve();

  const begin = <Result>(
    name: string,
    readOnly: boolean,
    run: (session: MemorySession) => Promise<Result>,
  ): Promise<Result> => {
    if (current.getStore()?.open === true)
      throw new InvariantError(
        `Transaction ${name} was begun inside another one; the store in memory runs one at a time.`,
      );
    const status: Status = { name, readOnly, open: true, failed: false };
    const result = last.then(() => current.run(status, () => runOnce(status, undo, work, run)));
    last = result.catch(() => {});
    return result;
  };
  return {
    transaction: (name, run) => begin(name, false, run),
    read: (run) => begin('read', true, run),
    contents: () => contentsOf(work),
  };
};

interface Status {
  readonly name: string;
  readonly readOnly: boolean;
  open: boolean;
  failed: boolean;
}

const runOnce = async <Result>(
  status: Status,
  undo: UndoLog,
  work: MemoryWork,
  run: (session: MemorySession) => Promise<Result>,
): Promise<Result> => {
  try {
    const result = await run(guarded(memorySession(undo, work), status));
    status.open = false;
    if (status.failed)
      throw new InvariantError(`Transaction ${status.name} went on after an error of the store; let it out.`);
    if (status.readOnly && !undo.isEmpty())
      throw new InvariantError(`Transaction ${status.name} may only read, and has written.`);
    undo.commit();
    return result;
  } catch (error) {
    status.open = false;
    undo.rollBack();
    throw error;
  }
};

const memorySession = (undo: UndoLog, work: MemoryWork): MemorySession => ({
  tx: { onRollback: undo.changed },
  lockLog: async () => {},
  now: async () => work.now(),
  ...memoryLog(work),
  ...memoryModels(work),
  ...memoryConditions(work),
  ...memoryOutcomes(work),
  ...memoryHeld(work),
  ...memoryRepairs(work),
  ...memoryLedger(work),
  ...memoryAfterwards(work),
  ...memoryChannels(work),
  ...memorySilences(work),
  ...memoryWatch(work),
  ...memoryUpkeep(work),
});

/** As in Postgres: no use after the end, and none after an error. */
const guarded = (session: MemorySession, status: Status): MemorySession =>
  new Proxy(session, {
    get: (target, property, receiver) => {
      const member: unknown = Reflect.get(target, property, receiver);
      if (typeof member !== 'function') return member;
      return async (...values: readonly unknown[]): Promise<unknown> => {
        if (!status.open)
          throw new InvariantError(`Transaction ${status.name} was used after its end; await every call inside it.`);
        if (status.failed)
          throw new InvariantError(`Transaction ${status.name} was used after an error of the store; let it out.`);
        try {
          return await (member as (...parameters: readonly unknown[]) => Promise<unknown>)(...values);
        } catch (error) {
          status.failed = true;
          throw error;
        }
      };
    },
  });

const contentsOf = ({ tables }: MemoryWork): MemoryContents => ({
  events: tables.events.rows(),
  alerts: tables.alerts.rows(),
  digests: tables.digests.rows(),
  outcomes: tables.outcomes.rows(),
  deliveries: tables.deliveries.rows(),
  attempts: tables.attempts.rows(),
  channels: tables.channels.rows(),
  silences: tables.silences.rows(),
  heartbeats: tables.heartbeats.rows(),
  quarantine: tables.quarantine.rows(),
});
