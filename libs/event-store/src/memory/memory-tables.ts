import type { AlertId, AlertState, DigestState, Instant } from '@tocsin/alert-model';
import type { KeyedSuccess } from '../postgres/remember-successes.ts';
import type { Cursor } from '../postgres/load-cursor.ts';
import type {
  ChannelState,
  ConditionEnd,
  ConditionSubject,
  Delivery,
  DeliveryAttempt,
  HeldFailure,
  IntendedRepair,
  ProviderEvent,
  Silence,
  StoredEvent,
} from '../store.ts';
import type { Heartbeat } from '../reading/heartbeats.ts';
import type { OutcomeRecord } from '../reading/outcome-record.ts';
import type { QuarantineRecord } from '../reading/quarantined.ts';
import { createTable } from './undo-log.ts';
import type { Table, UndoLog } from './undo-log.ts';

/** A repair from its intention to its end. */
export interface MemoryRepair extends IntendedRepair {
  readonly state: 'intended' | 'done' | 'skipped';
  readonly reason: string | null;
  readonly intendedAt: Instant;
  readonly settledAt: Instant | null;
  readonly alertId: AlertId | null;
}

/** A channel's state, and the bucket of its rate limit; null: full. */
export interface MemoryChannel extends ChannelState {
  readonly bucket: { readonly tokens: number; readonly at: Instant } | null;
}

/** What the database holds, in memory. */
export interface MemoryTables {
  /** By position, in the order of positions. */
  readonly events: Table<StoredEvent>;
  /** Its events by stream id: index + 1 is the version. */
  readonly streams: Table<readonly StoredEvent[]>;
  /** Streams with an AlertBatched event, by digest. */
  readonly batched: Table<ReadonlySet<string>>;
  readonly alerts: Table<AlertState>;
  /** The id of the open alert, if any, and of all alerts, by alert key. */
  readonly keys: Table<{ readonly open: string | null; readonly all: ReadonlySet<string> }>;
  readonly digests: Table<DigestState>;
  readonly outcomes: Table<OutcomeRecord>;
  /** Those of the outcomes that are conditions, by id; `open` is their key in `openConditions`. */
  readonly conditions: Table<{
    readonly open: string;
    readonly subject: ConditionSubject;
    readonly end: ConditionEnd | null;
  }>;
  /** The open condition, if any, by table, kind and job. */
  readonly openConditions: Table<string | null>;
  /** By outcome; null once released. */
  readonly held: Table<{ readonly failure: HeldFailure; readonly heldAt: Instant } | null>;
  readonly repairs: Table<MemoryRepair>;
  readonly successes: Table<KeyedSuccess>;
  readonly deliveries: Table<Delivery>;
  readonly attempts: Table<DeliveryAttempt>;
  readonly providerEvents: Table<ProviderEvent>;
  readonly channels: Table<MemoryChannel>;
  readonly silences: Table<Silence>;
  readonly cursors: Table<Cursor>;
  readonly heartbeats: Table<Omit<Heartbeat, 'ageMs'>>;
  readonly quarantine: Table<QuarantineRecord>;
}

export const createTables = (undo: UndoLog): MemoryTables => ({
  events: createTable(undo),
  streams: createTable(undo),
  batched: createTable(undo),
  alerts: createTable(undo),
  keys: createTable(undo),
  digests: createTable(undo),
  outcomes: createTable(undo),
  conditions: createTable(undo),
  openConditions: createTable(undo),
  held: createTable(undo),
  repairs: createTable(undo),
  successes: createTable(undo),
  deliveries: createTable(undo),
  attempts: createTable(undo),
  providerEvents: createTable(undo),
  channels: createTable(undo),
  silences: createTable(undo),
  cursors: createTable(undo),
  heartbeats: createTable(undo),
  quarantine: createTable(undo),
});

/** What a session in memory works with; `now` answers in microseconds. */
export interface MemoryWork {
  readonly tables: MemoryTables;
  readonly now: () => Instant;
}
