import { acknowledge } from '@tocsin/alert-service';
import type { LeaseRequest } from '@tocsin/alert-service';
import { parseDuration } from '@tocsin/runtime';
import type { ExitCode } from '../exit-code.ts';
import type { Invocation } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { decideOnAlerts } from './alert-commands.ts';
import type { ByOptions } from './alert-commands.ts';

export interface AckOptions extends ByOptions {
  readonly for?: string;
  /** ISO-8601 in UTC. */
  readonly until?: string;
  readonly untilFailures?: number;
  readonly untilSuccess?: boolean;
  readonly untilSignatureChange?: boolean;
}

/** `tocsin alerts ack` */
export const acknowledgeAlerts = async (
  invocation: Invocation,
  ids: readonly string[],
  options: AckOptions,
): Promise<ExitCode> => {
  const lease = leaseOf(options);
  return decideOnAlerts(invocation, ids, options, 'acknowledged', (context, alertId, by) =>
    acknowledge(context, alertId, { by, via: 'cli', lease, note: options.note ?? null }),
  );
};

const leaseOf = (options: AckOptions): LeaseRequest => {
  if (options.for !== undefined) {
    const ms = parseDuration(options.for);
    if (ms === 0) throw new UsageError('--for must be longer than 0; write a duration such as 30m or 2h.');
    return { until: 'span', ms };
  }
  if (options.until !== undefined) return { until: 'time', at: options.until };
  if (options.untilFailures !== undefined) return { until: 'failures', count: options.untilFailures };
  return options.untilSuccess === true ? { until: 'success' } : { until: 'signature-change' };
};
