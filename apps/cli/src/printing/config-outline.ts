import { describeConfig, durationLiteral, windowText } from '@tocsin/runtime';
import type { Config, EscalationConfig, RouteConfig, SilenceConfig, WorkersConfig } from '@tocsin/runtime';
import { listed } from './lines.ts';
import { utcTime } from './moment.ts';

/**
 * The configuration as `describeConfig` gives it, secrets masked, with what a person would have to work out said in words:
 * hours by the clock, escalations as ladders, what is off.
 *
 * @param now as ISO-8601 in UTC: whether a silence is over
 */
export const configOutline = (config: Config, now: string): Readonly<Record<string, unknown>> => {
  const { warnings: _, ...described } = describeConfig(config);
  return {
    ...described,
    routes: config.routes.map(routeFacts),
    escalations: named(Object.entries(config.escalations), ladderSteps),
    silences: named(
      config.silences.map((silence) => [silence.name, silence]),
      (silence) => silenceText(silence, now),
    ),
    storm: config.storm ?? 'off',
    flapping: config.flapping ?? 'off',
    selfWatch: {
      ...(described['selfWatch'] as object),
      ...(config.selfWatch.deadmanUrl === undefined && { deadmanUrl: 'none, so nobody notices when Tocsin is gone' }),
      ...(config.selfWatch.canaryMs === undefined && { canary: 'off' }),
    },
    workers: {
      ...config.workers,
      detectorPort: portText(config.workers.detectorPort),
      notifierPort: portText(config.workers.notifierPort),
    },
  };
};

const named = <Value, Shown>(
  entries: readonly (readonly [string, Value])[],
  show: (value: Value) => Shown,
): Readonly<Record<string, Shown>> => Object.fromEntries(entries.map(([name, value]) => [name, show(value)]));

const routeFacts = (route: RouteConfig): Readonly<Record<string, unknown>> => {
  const { name, match, digest, quietHours, breakThrough, ...rest } = route;
  const { allQuiet, ...gathering } = digest;
  return {
    name,
    match: { ...match, ...(match.during !== undefined && { during: match.during.map(windowText).join('; ') }) },
    ...rest,
    digest: { ...gathering, ...(allQuiet !== undefined && { allQuiet: `${allQuiet.cron} in ${allQuiet.timeZone}` }) },
    ...(quietHours.length > 0 && {
      quietHours: quietHours.map(windowText).join('; '),
      toldAllTheSame: breakThrough.length === 0 ? 'nothing' : breakThrough,
    }),
  };
};

/** By time, who is told: `after 15m: [chat]`, `then every 1h, 5 times: [chat, pager]`. */
const ladderSteps = ({ levels, repeat }: EscalationConfig): Readonly<Record<string, readonly string[]>> => ({
  ...Object.fromEntries(
    levels.map(({ afterMs, channels, severities }) => [
      `after ${durationLiteral(afterMs)}${severities === undefined ? '' : ` if ${severities.join(' or ')}`}`,
      channels,
    ]),
  ),
  ...(repeat !== undefined && {
    [`then every ${durationLiteral(repeat.everyMs)}, ${repeat.times} times`]: [
      ...new Set(levels.flatMap(({ channels }) => channels)),
    ],
  }),
});

const silenceText = ({ match, from, until, reason }: SilenceConfig, now: string): string => {
  const matchers = Object.entries(match).map(
    ([field, values]) => `${fieldNames[field] ?? field} ${values.join(' or ')}`,
  );
  const what = matchers.length === 0 ? 'everything' : listed(matchers);
  const begins = from === undefined ? '' : `from ${utcTime(from)} UTC `;
  const over = Date.parse(until) <= Date.parse(now) ? ' (over)' : '';
  return `${what}, ${begins}until ${utcTime(until)} UTC${over}${reason === undefined ? '' : `: ${reason}`}`;
};

const fieldNames: Readonly<Record<string, string>> = { jobType: 'job_type', targetId: 'target_id' };

const portText = (port: WorkersConfig['detectorPort']): string => {
  if (port === undefined) return 'off';
  return port.isDefault ? `${port.port}, or none if it is taken` : String(port.port);
};
