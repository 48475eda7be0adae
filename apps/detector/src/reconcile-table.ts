import type { OutcomeId } from '@tocsin/alert-model';
import { readFailures, readIdentities } from '@tocsin/job-sources';
import type { JobSource } from '@tocsin/job-sources';
import type { DetectorContext } from './detector-ports.ts';
import { enqueueSignals, sendFailures, withContexts } from './send-failures.ts';
import type { ScanState, TableState } from './table-state.ts';

/** Most undecided outcomes remembered at once; they are sent again when nothing waits, so the others' turn comes. */
const undecidedMax = 10_000;
/** Shortest and longest pause before the same signal is sent yet again, in milliseconds. */
const resendPauseMinMs = 60_000;
const resendPauseMaxMs = 86_400_000;
/** Signals sent again by one poll. */
const resentPerPollMax = 500;
/** Rows read in full by one statement. */
const rowsPerReadMax = 500;

/**
 * Compares the failures in the table with the outcomes announced, page by page until the pass is through or `untilMs`
 * has come, and sends what is missing. This finds what a cursor can miss: rows committed late or stamped by a clock that
 * is behind, and rows without a time of change. A pass begins every `reconcileMs`; what is left of it goes on with the
 * next poll.
 *
 * @returns how many were missing and have been sent
 */
export const reconcileTable = async (
  context: DetectorContext,
  state: TableState,
  scan: ScanState,
  source: JobSource,
  untilMs: number,
): Promise<number> => {
  const { table } = state;
  const { reconcile, what } = scan;
  const { log, monotonicMs } = context;
  if (!reconcile.running) {
    if (monotonicMs() < reconcile.dueAtMs) return 0;
    Object.assign(reconcile, { running: true, position: null, rowsRead: 0, found: 0, pass: reconcile.pass + 1 });
    reconcile.dueAtMs = monotonicMs() + table.reconcileMs;
  }
  let found = 0;
  do {
    const page = await readIdentities(table.pool, source, reconcile.position, {
      what,
      lookBackMs: table.lookBackMs,
    });
    const sent = await sendMissing(context, state, scan, source, page.outcomes);
    found += sent;
    reconcile.rowsRead += page.rowsRead;
    reconcile.found += sent;
    reconcile.position = page.next;
    reconcile.running = page.next !== null;
  } while (reconcile.running && monotonicMs() < untilMs);
  if (!reconcile.running) {
    for (const [id, entry] of state.undecided)
      if (entry.what === what && entry.pass !== reconcile.pass) state.undecided.delete(id);
    log[reconcile.found > 0 ? 'info' : 'debug'](
      {
        decision: 'Reconciled',
        table: source.name,
        rowsRead: reconcile.rowsRead,
        found: reconcile.found,
        undecided: state.undecided.size,
      },
      reconcile.found > 0
        ? 'failures that the scan had not seen were found and sent'
        : 'every failure in the table is announced',
    );
  }
  await resendUndecided(context, state, scan, source);
  return found;
};

const sendMissing = async (
  context: DetectorContext,
  state: TableState,
  scan: ScanState,
  source: JobSource,
  outcomes: readonly { readonly id: OutcomeId; readonly jobId: string }[],
): Promise<number> => {
  const open = outcomes.filter(({ id }) => !state.decided.has(id));
  if (open.length === 0) return 0;
  const ids = open.map(({ id }) => id);
  const decided = await context.store.transaction('detector.reconcile', (session) => session.recordedOutcomes(ids));
  for (const id of decided) {
    state.decided.set(id, true);
    state.undecided.delete(id);
  }
  const undecided = open.filter(({ id }) => !decided.has(id));
  const missing = undecided.filter(({ id }) => !state.announced.has(id));
  let sentCount = 0;
  for (let from = 0; from < missing.length; from += rowsPerReadMax) {
    const jobIds = missing.slice(from, from + rowsPerReadMax).map(({ jobId }) => jobId);
    const failures = await readFailures(state.table.pool, source, jobIds, {
      what: scan.what,
      secrets: context.secrets,
    });
    const { sent } = await sendFailures(context, state, source, failures, null);
    sentCount += sent.size;
    if (sent.size > 0)
      context.log.info(
        { decision: 'SignalsSent', reason: 'in the table but never announced', table: source.name, sent: sent.size },
        'failures sent',
      );
  }
  for (const { id, jobId } of undecided) remember(context, state, scan, id, jobId);
  return sentCount;
};

const remember = (
  { monotonicMs }: DetectorContext,
  state: TableState,
  { what, reconcile: { pass } }: ScanState,
  id: OutcomeId,
  jobId: string,
): void => {
  const pauseMs = state.resendAfterMs;
  const known = state.undecided.get(id);
  if (known !== undefined) state.undecided.set(id, { ...known, pass });
  else if (state.undecided.size < undecidedMax)
    state.undecided.set(id, { jobId, what, dueMs: monotonicMs() + pauseMs, pauseMs, pass });
};

/**
 * Sends the signals of outcomes that were announced long ago and are still undecided, but only while the queue is empty:
 * then no job carries them any more. Announcing and sending are one transaction, and so are deciding and completing the
 * job, so this mends only what somebody deleted. The notifier ignores what it has decided already.
 */
const resendUndecided = async (
  context: DetectorContext,
  state: TableState,
  { what }: ScanState,
  source: JobSource,
): Promise<void> => {
  const now = context.monotonicMs();
  const due = [...state.undecided]
    .filter(([, entry]) => entry.what === what && entry.dueMs <= now)
    .slice(0, resentPerPollMax);
  if (due.length === 0) return;
  const { signals } = await context.queue.depth();
  if (signals.ready + signals.deferred + signals.active > 0) return;
  const recorded = await context.store.transaction('detector.reconcile', (session) =>
    session.recordedOutcomes(due.map(([id]) => id)),
  );
  for (const id of recorded) state.undecided.delete(id);
  const lost = due.filter(([id]) => !recorded.has(id));
  if (lost.length === 0) return;
  const rows = await readFailures(
    state.table.pool,
    source,
    lost.map(([, { jobId }]) => jobId),
    { what, secrets: context.secrets },
  );
  const failures = await withContexts(
    context,
    state,
    source,
    rows.filter(({ outcomeId }) => state.undecided.has(outcomeId)),
  );
  await context.store.transaction('detector.resend', (session) => enqueueSignals(context, session, failures));
  for (const [id, undecided] of lost) {
    const pauseMs = Math.min(resendPauseMaxMs, Math.max(resendPauseMinMs, undecided.pauseMs * 2));
    state.undecided.set(id, { ...undecided, pauseMs, dueMs: now + pauseMs });
  }
  context.log.warn(
    {
      decision: 'SignalsResent',
      reason: 'announced, undecided, and the queue is empty',
      table: source.name,
      sent: failures.length,
    },
    'signals that had been lost on the way were sent again',
  );
};
