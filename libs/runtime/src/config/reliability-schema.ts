import { isIP } from 'node:net';
import { z } from 'zod';
import { DURATION_BOUNDS, HTTP_PROTOCOLS, parseShare, shareProblem } from './setting-rules.ts';
import { checkedText, count, duration, durationOrOff, url } from './setting-schemas.ts';

/** How Tocsin behaves when much goes wrong at once, when it goes wrong itself, and where it can be looked at. */

const KEYS_MAX = 100_000;
const FLAPS_MAX = 1_000;
const PORT_MAX = 65_535;

/** A mapping, or `off`. */
const orOff = <Mapping extends z.ZodType>(mapping: Mapping, keys: string) =>
  z.union([z.literal('off'), mapping], {
    error: ({ input }) =>
      typeof input === 'object' && input !== null && !Array.isArray(input)
        ? undefined
        : `must be off, or a mapping with ${keys}`,
  });

const stormShare = z
  .union([z.number(), z.string()], {
    error: ({ input }) => `${shareProblem(input, Number.MIN_VALUE) ?? 'must be a share'}; or off`,
  })
  .transform((value, context): number | null => {
    const problem = value === 'off' ? undefined : shareProblem(value, Number.MIN_VALUE)?.concat('; or off');
    if (problem === undefined) return value === 'off' ? null : parseShare(value);
    context.addIssue(problem);
    return z.NEVER;
  });

/** `storm`. */
export const storm = orOff(
  z.strictObject({
    keys: count(2, KEYS_MAX).describe('More new alerts than this within `within` are one incident.').default(50),
    within: duration(DURATION_BOUNDS.stormWithin).describe('Time in which they open.').prefault('5m'),
    share: stormShare
      .describe('Or: more than this share of the jobs of one source that ended, 0.5 or "50%", or off.')
      .prefault('50%'),
    update: duration(DURATION_BOUNDS.stormUpdate)
      .describe('Shortest time between two messages of one storm on one route.')
      .prefault('15m'),
  }),
  'keys, within, share and update',
);

/** `flapping`. */
export const flapping = orOff(
  z.strictObject({
    times: count(2, FLAPS_MAX)
      .describe('Told once only from that many alerts of one key resolved within `within` on.')
      .default(4),
    within: duration(DURATION_BOUNDS.thresholdWithin).describe('How far back they count.').prefault('6h'),
    hold: duration(DURATION_BOUNDS.flapHold)
      .describe('How long it must stay fine, or broken, until it has settled.')
      .prefault('1h'),
  }),
  'times, within and hold',
);

/** `self_watch`. */
export const selfWatch = z.strictObject({
  stale_after: duration(DURATION_BOUNDS.staleAfter)
    .describe('A detector or notifier without a sign of life for so long is told of.')
    .prefault('1m'),
  deadman_url: url(HTTP_PROTOCOLS)
    .describe(
      'Asked (GET) after each clean audit, so that somebody else notices when Tocsin is gone. Default: DEADMAN_URL.',
    )
    .optional(),
  audit_every: duration(DURATION_BOUNDS.audit).describe('How often the audit runs.').prefault('1m'),
  canary: durationOrOff(DURATION_BOUNDS.canary)
    .describe('How often a canary travels from table to outbox, or off.')
    .prefault('1h'),
});

/** What is wrong with an address to listen on, and the cure, or undefined. */
export function hostProblem(host: string): string | undefined {
  const isName = /^(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*$/.test(host) && !/^[\d.]+$/.test(host);
  return isName || isIP(host) !== 0
    ? undefined
    : 'must be an address of this machine without port, such as 127.0.0.1, or 0.0.0.0 for all of them';
}

/** What is wrong with a port from the environment, and the cure, or undefined. */
export function portProblem(port: string): string | undefined {
  return port === 'off' || (/^\d{1,5}$/.test(port) && Number(port) <= PORT_MAX) ? undefined : PORT_RULE;
}

const PORT_RULE = `must be a port from 1 to ${PORT_MAX}, 0 for any that is free, or off`;

const port = z.union([z.int().min(0, PORT_RULE).max(PORT_MAX, PORT_RULE), z.literal('off')], {
  error: () => PORT_RULE,
});

/** Ports where the environment says nothing else. */
export const DETECTOR_PORT_DEFAULT = 9571;
export const NOTIFIER_PORT_DEFAULT = 9572;

/** `workers`. */
export const workers = z.strictObject({
  claim: duration(DURATION_BOUNDS.claim)
    .describe('How long a worker may be silent before another one takes over its queue jobs; whole seconds.')
    .prefault('10s'),
  host: checkedText(hostProblem)
    .describe('Address that health, metrics and hooks listen on. Default: TOCSIN_HOST, else 127.0.0.1.')
    .optional(),
  detector_port: port
    .describe(`Port of the detector, or off. Default: TOCSIN_DETECTOR_PORT, else ${DETECTOR_PORT_DEFAULT}.`)
    .optional(),
  notifier_port: port
    .describe(`Port of the notifier, or off. Default: TOCSIN_NOTIFIER_PORT, else ${NOTIFIER_PORT_DEFAULT}.`)
    .optional(),
});
