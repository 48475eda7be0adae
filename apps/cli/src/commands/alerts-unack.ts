import { unacknowledge } from '@tocsin/alert-service';
import type { ExitCode } from '../exit-code.ts';
import type { Invocation } from '../terminal.ts';
import { decideOnAlerts } from './alert-commands.ts';
import type { ByOptions } from './alert-commands.ts';

/** `tocsin alerts unack` */
export const unacknowledgeAlerts = (
  invocation: Invocation,
  ids: readonly string[],
  options: ByOptions,
): Promise<ExitCode> =>
  decideOnAlerts(invocation, ids, options, 'given back', (context, alertId, by) => unacknowledge(context, alertId, by));
