import { DeliveryId } from '@tocsin/alert-model';
import { redeliver } from '@tocsin/alert-service';
import type { Redelivered } from '@tocsin/alert-service';
import { deliveriesPerListMax, heartbeats } from '@tocsin/event-store';
import { requireOne } from '../database/require-one.ts';
import { withDatabase } from '../database/with-database.ts';
import { withService } from '../database/with-service.ts';
import type { CommandContext } from '../database/with-service.ts';
import type { Pool } from '@tocsin/runtime';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { heartbeatStaleMs } from '../explain/load-alert-facts.ts';
import { shortId } from '../printing/job-name.ts';
import { printLines } from '../printing/lines.ts';
import { printJson } from '../printing/print-json.ts';
import type { Invocation } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { userName } from './user-name.ts';

export interface RetryDeliveriesOptions {
  readonly all?: boolean;
  readonly channel?: string;
  readonly by?: string;
  readonly json?: boolean;
}

/** Pages of messages that one call sends again. */
const pagesMax = 100;

/** `tocsin deliveries retry` */
export const retryDeliveries = async (
  invocation: Invocation,
  asked: readonly string[],
  options: RetryDeliveriesOptions,
): Promise<ExitCode> => {
  if ((options.all === true) === asked.length > 0)
    throw new UsageError('Name the messages to send again, or all of them with --all. See: npx tocsin deliveries list');
  if (options.channel !== undefined && options.all !== true) throw new UsageError('--channel goes with --all.');
  return withDatabase(invocation, async (database) => {
    const { terminal } = invocation;
    const results = await withService(database, terminal, async (context) => {
      const by = options.by ?? userName(terminal);
      if (options.all === true) return retryAll(context, options.channel ?? null, by);
      // All of them are looked for before one is sent.
      const ids: DeliveryId[] = [];
      for (const one of asked) ids.push(DeliveryId.parse(await requireOne(database.pool, 'delivery', one)));
      return retryEach(context, ids, by);
    });
    if (options.json === true) printJson(terminal, results);
    else if (results.length === 0) printLines(terminal, ['No message was given up, so none is sent again.']);
    else
      for (const result of results) {
        if (result.done) printLines(terminal, [`${shortId(result.id)}  ${result.reason}`]);
        else terminal.complain(`tocsin: ${shortId(result.id)} is not sent again: ${result.refused}\n`);
      }
    if (options.json !== true && results.some(({ done }) => done) && !(await isNotifierAlive(database.pool)))
      printLines(terminal, [
        'It takes a notifier, and none has given a sign of life in the last minute: npx tocsin notifier',
      ]);
    return results.every(({ done }) => done) ? exitCodes.fine : exitCodes.problem;
  });
};

type Retried = Redelivered & { readonly id: DeliveryId };

const retryEach = async (
  context: CommandContext,
  ids: readonly DeliveryId[],
  by: string,
): Promise<readonly Retried[]> => {
  const retried: Retried[] = [];
  for (const id of ids) retried.push({ id, ...(await redeliver(context, id, by)) });
  return retried;
};

/** Page by page: what is sent again is given up no more. Those that cannot be are left where they are. */
const retryAll = async (context: CommandContext, channel: string | null, by: string): Promise<readonly Retried[]> => {
  const retried = new Map<DeliveryId, Retried>();
  for (let page = 0; page < pagesMax; page += 1) {
    const dead = await context.store.read((session) =>
      session.listDeliveries({ state: 'dead', channel, limit: deliveriesPerListMax }),
    );
    const fresh = dead.map(({ id }) => id).filter((id) => !retried.has(id));
    if (fresh.length === 0) break;
    for (const one of await retryEach(context, fresh, by)) retried.set(one.id, one);
  }
  return [...retried.values()];
};

const isNotifierAlive = async (pool: Pool): Promise<boolean> =>
  (await heartbeats(pool)).some(({ component, ageMs }) => component === 'notifier' && ageMs < heartbeatStaleMs);
