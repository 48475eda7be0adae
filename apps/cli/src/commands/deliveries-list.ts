import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { createPostgresStore } from '@tocsin/event-store';
import type { Delivery } from '@tocsin/event-store';
import { withDatabase } from '../database/with-database.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { cleanLine } from '../printing/clean-line.ts';
import { deliveryText } from '../printing/delivery-text.ts';
import { shortId } from '../printing/job-name.ts';
import { counted, printLines } from '../printing/lines.ts';
import { age } from '../printing/moment.ts';
import { paint } from '../printing/paint.ts';
import { printJson } from '../printing/print-json.ts';
import { wrapLine } from '../printing/wrap-line.ts';
import type { Invocation, Terminal } from '../terminal.ts';

export interface ListDeliveriesOptions {
  readonly state: 'dead' | 'waiting' | 'all';
  readonly channel?: string;
  readonly limit: number;
  readonly json?: boolean;
}

/** `tocsin deliveries list` */
export const listDeliveries = (invocation: Invocation, options: ListDeliveriesOptions): Promise<ExitCode> =>
  withDatabase(invocation, async ({ pool, now }) => {
    const { terminal } = invocation;
    const { state, limit } = options;
    const store = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });
    const found = await store.read((session) =>
      // One more than asked for tells whether there is more.
      session.listDeliveries({ state, channel: options.channel ?? null, limit: limit + 1 }),
    );
    const deliveries = found.slice(0, limit);
    const code = state === 'dead' && deliveries.length > 0 ? exitCodes.problem : exitCodes.fine;
    if (options.json === true) {
      printJson(terminal, deliveries);
      return code;
    }
    if (deliveries.length === 0) {
      printLines(terminal, [
        state === 'dead' ? 'No message was given up. Those on their way: --state waiting' : 'There is no such message.',
      ]);
      return code;
    }
    printLines(terminal, [
      ...deliveries.flatMap((delivery) => deliveryLines(delivery, terminal, now)),
      '',
      found.length > limit
        ? `The latest ${counted(limit, 'message')}; there are more: --limit N`
        : state === 'dead'
          ? counted(deliveries.length, 'message that nobody took', 'messages that nobody took')
          : counted(deliveries.length, 'message'),
      ...(state === 'dead' ? ['Send again: npx tocsin deliveries retry ID, or --all'] : []),
    ]);
    return code;
  });

/** Where to and what became of it, and below it what it says. */
const deliveryLines = (delivery: Delivery, terminal: Terminal, now: string): readonly string[] => {
  const { id, channel, attempts, alertIds, message, createdAt } = delivery;
  const what = `${channel}: ${deliveryText(delivery, now)}; ${counted(attempts, 'attempt')}`;
  const about = `${message.subject} (${counted(alertIds.length, 'alert')}, made ${age(createdAt, now)})`;
  const [first = '', ...rest] = wrapLine(`${shortId(id)}  ${cleanLine(what)}`, terminal.textColumns, indent);
  return [
    `${paint(terminal, 'bold', first.slice(0, indent.length))}${first.slice(indent.length)}`,
    ...rest,
    ...wrapLine(`${indent}${cleanLine(about)}`, terminal.textColumns, indent),
  ];
};

const indent = ' '.repeat(10);
