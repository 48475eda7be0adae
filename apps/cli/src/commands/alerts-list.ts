import { ownSource } from '@tocsin/alert-model';
import type { LifecycleState } from '@tocsin/alert-model';
import { listAlerts } from '@tocsin/event-store';
import type { AlertRecord } from '@tocsin/event-store';
import { withDatabase } from '../database/with-database.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { shortId } from '../printing/job-name.ts';
import { counted, printLines } from '../printing/lines.ts';
import { age } from '../printing/moment.ts';
import { paint } from '../printing/paint.ts';
import { printJson } from '../printing/print-json.ts';
import { tableLines } from '../printing/table.ts';
import type { Column } from '../printing/table.ts';
import type { Invocation, Terminal } from '../terminal.ts';

export interface ListOptions {
  readonly all?: boolean;
  readonly state?: readonly LifecycleState[];
  readonly source?: string;
  readonly key?: string;
  readonly limit: number;
  readonly json?: boolean;
}

const openStates: readonly LifecycleState[] = ['detected', 'batched', 'notified', 'acknowledged'];

/** States in which a silence is what matters. */
const told: ReadonlySet<LifecycleState> = new Set(['detected', 'batched', 'notified']);

const columns: readonly Column[] = [
  { title: 'ID' },
  { title: 'STATE' },
  { title: 'SEVERITY' },
  { title: 'TITLE', flexible: true },
  { title: 'TIMES', align: 'right' },
  { title: 'SINCE' },
  { title: 'LAST' },
  { title: 'ACK BY', max: 12 },
];

/** `tocsin alerts list` */
export const listAlertsCommand = (invocation: Invocation, options: ListOptions): Promise<ExitCode> =>
  withDatabase(invocation, async ({ pool, now }) => {
    const { terminal } = invocation;
    const states = options.state ?? (options.all === true ? undefined : openStates);
    const found = await listAlerts(pool, {
      ...(states !== undefined && { states }),
      withoutCanaries: !showsCanaries(options),
      ...(options.source !== undefined && { source: options.source }),
      ...(options.key !== undefined && { key: options.key }),
      // One more than asked for tells whether there is more.
      limit: options.limit + 1,
    });
    const alerts = found.slice(0, options.limit);
    if (options.json === true) printJson(terminal, alerts);
    else
      printTable(terminal, alerts, now, {
        more: found.length > alerts.length,
        limit: options.limit,
        onlyOpen: states === openStates,
      });
    return exitCodes.fine;
  });

/** Failures that Tocsin makes itself are nobody's business, unless they are asked for. That they do not arrive is. */
const showsCanaries = ({ all, source, key }: ListOptions): boolean =>
  all === true || source === ownSource || key !== undefined;

const printTable = (
  terminal: Terminal,
  alerts: readonly AlertRecord[],
  now: string,
  { more, limit, onlyOpen }: { readonly more: boolean; readonly limit: number; readonly onlyOpen: boolean },
): void => {
  if (alerts.length === 0) {
    printLines(terminal, [
      onlyOpen ? 'No alert is open. Resolved ones: npx tocsin alerts list --all' : 'There is no such alert.',
    ]);
    return;
  }
  const rows = alerts.map((alert) => [
    shortId(alert.id),
    alert.silenced && told.has(alert.state) ? 'muted' : alert.state,
    alert.severity,
    alert.title,
    String(alert.occurrences),
    age(alert.firstFailedAt, now),
    age(alert.lastFailedAt, now),
    alert.acknowledgedBy ?? '',
  ]);
  const [heading = '', ...lines] = tableLines(columns, rows, terminal.columns);
  printLines(terminal, [
    paint(terminal, 'bold', heading),
    ...lines,
    '',
    more
      ? `The latest ${counted(limit, 'alert')}; there are more: --limit N`
      : counted(alerts.length, onlyOpen ? 'open alert' : 'alert'),
    'Details: npx tocsin alerts show ID',
  ]);
};
