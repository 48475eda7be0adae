import { resolveByHand } from '@tocsin/alert-service';
import type { ExitCode } from '../exit-code.ts';
import type { Invocation } from '../terminal.ts';
import { decideOnAlerts } from './alert-commands.ts';
import type { ByOptions } from './alert-commands.ts';

/** `tocsin alerts resolve` */
export const resolveAlerts = (invocation: Invocation, ids: readonly string[], options: ByOptions): Promise<ExitCode> =>
  decideOnAlerts(invocation, ids, options, 'resolved', (context, alertId, by) =>
    resolveByHand(context, alertId, { by, note: options.note ?? null }),
  );
