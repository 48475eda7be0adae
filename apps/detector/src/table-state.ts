import type { AlertId, Instant, OutcomeId } from '@tocsin/alert-model';
import type { WatchedAlert } from '@tocsin/event-store';
import type { Horizon, IdentityPosition, JobSource, ScanPosition, VanishedWorkMemory } from '@tocsin/job-sources';
import { createBoundedMap } from './bounded-map.ts';
import type { BoundedMap } from './bounded-map.ts';
import { newConditionState } from './conditions/condition-state.ts';
import type { ConditionState } from './conditions/condition-state.ts';
import type { WatchedTable } from './detector-ports.ts';

/** Outcomes remembered, so that what the overlap reads again costs nothing: some 80 bytes each. */
const outcomesRememberedMax = 100_000;
/** Rows remembered as read, for the same purpose: some 150 bytes each. */
const rowsRememberedMax = 100_000;
/** Sources whose successes are remembered. */
const sourcesRememberedMax = 1_000;
/** Successes remembered as sent, by alert. */
const successesRememberedMax = 50_000;

/** An outcome that was announced and nobody has decided upon yet. */
export interface Undecided {
  readonly jobId: string;
  readonly what: Scanned;
  /** When its signal may be sent again, in monotonic milliseconds. */
  readonly dueMs: number;
  /** How long to wait after that; doubles with every try. */
  readonly pauseMs: number;
  /** The comparison in which it was last seen. */
  readonly pass: number;
}

/** What a scan looks for: failures for good, or successes whose result counts parts that failed. */
export type Scanned = 'failures' | 'partials';

/** What a detector remembers of one scan of a table, and of its comparison. */
export interface ScanState {
  readonly what: Scanned;
  /** Null until loaded. */
  cursor: Instant | null;
  savedCursor: Instant | null;
  savedAtMs: number;
  /** What the statement before the first page of this pass saw. A pass reads from the cursor until nothing more comes. */
  passHorizon: Horizon | null;
  lastHorizon: Horizon | null;
  /** When this pass began, in monotonic milliseconds. */
  passBeganMs: number;
  /** The last row read in this pass; null at its beginning. */
  position: ScanPosition | null;
  /** The next rows were most likely read before, so they are skimmed first. */
  skimming: boolean;
  /** Rows read whose outcomes are announced, by `FailurePage.rowKeys`. */
  readonly rowsRead: BoundedMap<string, true>;
  reconcile: {
    pass: number;
    position: IdentityPosition | null;
    running: boolean;
    dueAtMs: number;
    /** When a poll last ran it, in monotonic milliseconds. */
    ranAtMs: number;
    rowsRead: number;
    found: number;
  };
}

/** Everything a detector remembers of one table between two polls. Losing it costs reading again, nothing else. */
export interface TableState {
  readonly table: WatchedTable;
  /** Null until the table was inspected and found fit; null again after an error that may mean the table changed. */
  source: JobSource | null;
  /** What was logged of the last inspection, so that looking again says nothing twice. */
  inspected: string;
  readonly failures: ScanState;
  readonly partials: ScanState;
  readonly conditions: ConditionState;
  /** Outcomes known to be announced. */
  readonly announced: BoundedMap<OutcomeId, true>;
  /** Outcomes known to be decided upon for good. */
  readonly decided: BoundedMap<OutcomeId, true>;
  readonly undecided: Map<OutcomeId, Undecided>;
  /** How many jobs of a source succeeded lately, by source; see `withSourceSuccesses`. */
  readonly sourceSuccesses: BoundedMap<string, { readonly atMs: number; readonly successes: number | null }>;
  successes: {
    after: AlertId | null;
    /** Alerts of the current page whose work is still to be looked up. */
    page: Iterator<WatchedAlertStep> | null;
    /** The page under way is the last of its round. */
    lastPage: boolean;
    /** When a poll last ran it, in monotonic milliseconds. */
    ranAtMs: number;
    /** Alert and success → when it was sent, in monotonic milliseconds. */
    readonly sent: BoundedMap<string, number>;
  };
  /** Jobs of watched work that were seen, where rows of successes are deleted. */
  vanished: VanishedWorkMemory;
  /** How long an announced outcome may stay undecided before its signal is sent again. */
  resendAfterMs: number;
  statusesDueAtMs: number;
  readonly statusesWarned: Set<string>;
}

/** One step whose success an open alert waits for. */
export interface WatchedAlertStep {
  readonly alert: WatchedAlert;
  readonly jobType: string;
  readonly targetId: string | null;
  readonly anyTarget: boolean;
}

const newScanState = (what: Scanned): ScanState => ({
  what,
  cursor: null,
  savedCursor: null,
  savedAtMs: Number.NEGATIVE_INFINITY,
  passHorizon: null,
  lastHorizon: null,
  passBeganMs: Number.NEGATIVE_INFINITY,
  position: null,
  skimming: false,
  rowsRead: createBoundedMap(rowsRememberedMax),
  reconcile: {
    pass: 0,
    position: null,
    running: false,
    dueAtMs: Number.NEGATIVE_INFINITY,
    ranAtMs: Number.NEGATIVE_INFINITY,
    rowsRead: 0,
    found: 0,
  },
});

export const newTableState = (table: WatchedTable, resendAfterMs: number): TableState => ({
  table,
  source: null,
  inspected: '',
  failures: newScanState('failures'),
  partials: newScanState('partials'),
  conditions: newConditionState(),
  announced: createBoundedMap(outcomesRememberedMax),
  decided: createBoundedMap(outcomesRememberedMax),
  undecided: new Map(),
  sourceSuccesses: createBoundedMap(sourcesRememberedMax),
  successes: {
    after: null,
    page: null,
    lastPage: false,
    ranAtMs: Number.NEGATIVE_INFINITY,
    sent: createBoundedMap(successesRememberedMax),
  },
  vanished: new Map(),
  resendAfterMs,
  statusesDueAtMs: Number.NEGATIVE_INFINITY,
  statusesWarned: new Set(),
});
