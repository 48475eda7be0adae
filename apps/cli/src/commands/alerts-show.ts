import { alertStream, shorten } from '@tocsin/alert-model';
import type { AlertState } from '@tocsin/alert-model';
import { ledgerOfAlert, streamEvents } from '@tocsin/event-store';
import type { LedgerEntry } from '@tocsin/event-store';
import { InvariantError, formatDuration } from '@tocsin/runtime';
import { requireAlert } from '../database/require-alert.ts';
import { withDatabase } from '../database/with-database.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { cleanLine } from '../printing/clean-line.ts';
import { deliveryText } from '../printing/delivery-text.ts';
import { eventFacts } from '../printing/event-facts.ts';
import { jobName, shortId } from '../printing/job-name.ts';
import { leaseText } from '../printing/lease-text.ts';
import { counted, listed, printLines } from '../printing/lines.ts';
import { moment, utcTime } from '../printing/moment.ts';
import { muteText, untilText } from '../printing/mute-text.ts';
import { paint } from '../printing/paint.ts';
import { printJson } from '../printing/print-json.ts';
import { wrapLine } from '../printing/wrap-line.ts';
import { foldSteps } from '../replay/fold-steps.ts';
import type { FoldStep } from '../replay/fold-steps.ts';
import type { Invocation } from '../terminal.ts';

/** Events shown at the beginning and at the end of a long story; `replay` shows all. */
const timelineHeadMax = 10;
const timelineTailMax = 30;
/** Longest error text of a cause, and longest facts of an event; `--json` has all. */
const causeCharsMax = 600;
const factsCharsMax = 300;

/** `tocsin alerts show` */
export const showAlert = (
  invocation: Invocation,
  idOrKey: string,
  options: { readonly json?: boolean },
): Promise<ExitCode> =>
  withDatabase(invocation, async ({ pool, now }) => {
    const { terminal } = invocation;
    const record = await requireAlert(pool, idOrKey);
    const steps = foldSteps(await streamEvents(pool, alertStream(record.id)));
    const state = steps.at(-1)?.after;
    if (state === undefined) throw new InvariantError(`Alert ${record.id} has no events; the log is damaged.`);
    const ledger = await ledgerOfAlert(pool, record.id);
    if (options.json === true) {
      const events = steps.map(({ stored, before, after }) => ({
        ...stored,
        before: before?.state ?? null,
        after: after.state,
      }));
      printJson(terminal, { alert: record, state, events, deliveries: ledger });
      return exitCodes.fine;
    }
    const bold = (text: string): string => paint(terminal, 'bold', text);
    printLines(terminal, [
      bold(cleanLine(`${state.title}: ${state.state}`)),
      ...factLines(state, now).flatMap((line) => wrapLine(line, terminal.textColumns, ' '.repeat(15))),
      '',
      bold('Causes'),
      ...causeLines(state, steps, terminal.textColumns),
      '',
      bold('Told'),
      ...toldLines(ledger, now).flatMap((line) => wrapLine(line, terminal.textColumns, '    ')),
      '',
      bold('Timeline (UTC)'),
      ...timelineLines(steps, terminal.textColumns),
      '',
      `Why, and what comes next: npx tocsin alerts explain ${shortId(state.id)}`,
    ]);
    return exitCodes.fine;
  });

const flappingText = ({ flapping, openedFlapping }: AlertState, now: string): string | null => {
  if (openedFlapping === null) return null;
  const what = `${counted(openedFlapping.count, 'alert')} of this key within ${formatDuration(openedFlapping.withinMs)}`;
  if (flapping === null) return `${what}; it has settled since`;
  const { heldUntil } = flapping;
  return `${what}; ${heldUntil === null ? 'told once, then quiet' : `fine again, resolved ${moment(heldUntil, now)} if it stays so`}`;
};

const escalatedText = (
  { routes }: AlertState,
  route: string,
  { step, at }: AlertState['escalations'][string],
  now: string,
): string => {
  const escalation = routes.find(({ name }) => name === route)?.escalation ?? null;
  const levels = escalation?.levels.length ?? step;
  const what =
    step <= levels
      ? `level ${step} of ${levels}`
      : `all ${counted(levels, 'level')}, repetition ${step - levels} of ${escalation?.repeat?.times ?? step - levels}`;
  return `${escalation?.name ?? route}, ${what}, ${moment(at, now)}`;
};

const factLines = (state: AlertState, now: string): readonly string[] => {
  const { acknowledgement: held, resolution, chain, predecessor } = state;
  const facts: readonly (readonly [string, string | null])[] = [
    ['id', state.id],
    ['key', state.key],
    ['severity', state.severity],
    ['job', jobName(state)],
    ['occurrences', String(state.occurrences)],
    ['since', moment(state.firstFailedAt, now)],
    ['last', moment(state.lastFailedAt, now)],
    [
      'still so',
      Object.keys(state.suspicions).length === 0
        ? null
        : listed(Object.values(state.suspicions).map(({ kind, jobId }) => `${kind} (job ${jobId})`)),
    ],
    ['chain', chain === null ? null : `${chain.name}${state.lastRun === null ? '' : `, run ${state.lastRun}`}`],
    [
      'did not run',
      state.missing.length === 0
        ? null
        : listed(state.missing.map((step) => [step.jobType, step.targetId].filter((part) => part !== null).join('/'))),
    ],
    ['last fine', state.lastGreenAt === null ? null : moment(state.lastGreenAt, now)],
    ['routes', state.routes.map(({ name, channels }) => `${name} (${channels.join(', ')})`).join('; ')],
    ...Object.entries(state.silences).map(
      ([id, mute]) => ['muted by', `${muteText(id, mute)} ${untilText(mute.end)}`] as const,
    ),
    ['flapping', flappingText(state, now)],
    ...Object.entries(state.escalations).map(
      ([route, climbed]) => ['escalated', escalatedText(state, route, climbed, now)] as const,
    ),
    ['came back', state.bounces === 0 ? null : counted(state.bounces, 'message')],
    [
      'taken by',
      held === null
        ? null
        : `${held.by} ${moment(held.at, now)}, ${leaseText(held.lease)}${held.note === null ? '' : `: ${held.note}`}`,
    ],
    [
      'resolved',
      resolution === null
        ? null
        : `${moment(resolution.resolvedAt, now)}, ${resolution.reason}${resolution.by === null ? '' : ` by ${resolution.by}`}${resolution.note === null ? '' : `: ${resolution.note}`}`,
    ],
    [
      'before',
      predecessor === null
        ? null
        : `alert ${shortId(predecessor.alertId)}, resolved ${moment(predecessor.resolvedAt, now)}; ${counted(predecessor.recentCount, 'alert')} of this key in the week before`,
    ],
  ];
  return facts.flatMap(([name, value]) => (value === null ? [] : [`  ${`${name}:`.padEnd(13)}${cleanLine(value)}`]));
};

const causeLines = (state: AlertState, steps: readonly FoldStep[], width: number): readonly string[] => {
  const errors = new Map(
    steps.flatMap(({ stored: { version, event } }) =>
      event.type === 'FailureDetected' ? [[version, event.data.error] as const] : [],
    ),
  );
  const lines = state.causes.flatMap(({ count, samples }) => {
    const error = samples.map((version) => errors.get(version)).findLast((text) => text !== undefined && text !== null);
    const text = shorten(cleanLine(error ?? 'no error text'), causeCharsMax);
    return wrapLine(`  ${String(count).padStart(4)} × ${text}`, width, ' '.repeat(9));
  });
  return state.otherCauses === 0 ? lines : [...lines, `  ${String(state.otherCauses).padStart(4)} × other causes`];
};

const toldLines = (ledger: readonly LedgerEntry[], now: string): readonly string[] =>
  ledger.length === 0
    ? ['  nobody yet']
    : ledger.map(({ delivery }) => {
        const { channel, purpose, attempts } = delivery;
        const kind = purpose === 'window' ? '' : ` [${purpose}]`;
        return `  ${cleanLine(`${channel}${kind}: ${deliveryText(delivery, now)}; ${counted(attempts, 'attempt')}`)}`;
      });

const timelineLines = (steps: readonly FoldStep[], width: number): readonly string[] => {
  const lines = steps.map(({ stored: { event }, before, after }) => {
    const state = before?.state === after.state ? '' : ` → ${after.state}`;
    const facts = shorten(eventFacts(event), factsCharsMax);
    return wrapLine(`  ${utcTime(event.occurredAt)}  ${event.type}${state}: ${facts}`, width, ' '.repeat(23)).join(
      '\n',
    );
  });
  if (lines.length <= timelineHeadMax + timelineTailMax) return lines;
  const left = lines.length - timelineHeadMax - timelineTailMax;
  return [...lines.slice(0, timelineHeadMax), `  … ${counted(left, 'event')} …`, ...lines.slice(-timelineTailMax)];
};
