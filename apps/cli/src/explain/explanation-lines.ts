import type { FrozenRoute } from '@tocsin/alert-model';
import { formatDuration, windowText } from '@tocsin/runtime';
import { cleanLine } from '../printing/clean-line.ts';
import { deliveryText } from '../printing/delivery-text.ts';
import { ladderText } from '../printing/escalation-text.ts';
import { shortId } from '../printing/job-name.ts';
import { listed } from '../printing/lines.ts';
import { moment, utcTime } from '../printing/moment.ts';
import { paint } from '../printing/paint.ts';
import { stormText } from '../printing/storm-text.ts';
import { wrapLine } from '../printing/wrap-line.ts';
import type { Terminal } from '../terminal.ts';
import type { AlertExplanation, ExplainedDelivery, ExplainedDigest } from './alert-explanation.ts';
import { troubleNames } from './channel-trouble.ts';
import type { ChannelTrouble } from './channel-trouble.ts';

/** Decisions shown; of a longer story, the latest. */
const decisionsMax = 30;
/** Conditions shown; `--json` has all. */
const conditionsMax = 20;
/** What a provider said of one message; of more, the latest. */
const providerEventsMax = 6;

/** An explanation for people. */
export const explanationLines = (explanation: AlertExplanation, terminal: Terminal, now: string): readonly string[] => {
  const bold = (text: string): string => paint(terminal, 'bold', text);
  const item = (text: string, depth = 1): readonly string[] => {
    const indent = '  '.repeat(depth);
    return wrapLine(`${indent}${cleanLine(text)}`, terminal.textColumns, `${indent}  `);
  };
  const fact = (name: string, value: string): readonly string[] =>
    wrapLine(`  ${name.padEnd(nameCells)} ${cleanLine(value)}`, terminal.textColumns, ' '.repeat(nameCells + 3));
  const section = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : ['', bold(title), ...lines];
  const { conditions, decisions, digests, next, suppressors, channels } = explanation;
  return [
    bold(cleanLine(`${explanation.title}: ${explanation.state}`)),
    ...wrapLine(cleanLine(explanation.verdict), terminal.textColumns, ''),
    ...section('Why', [
      ...fact('alert', explanation.alertId),
      ...fact('key', explanation.key),
      ...fact('rule', `${explanation.rule}, severity ${explanation.severity}`),
      ...explanation.routes.flatMap((route) => [
        ...fact('route', routeText(route)),
        ...(route.escalation === null
          ? []
          : fact('escalation', `${route.escalation.name}: ${ladderText(route.escalation)}`)),
      ]),
    ]),
    ...section(
      'Held back by (UTC)',
      suppressors.flatMap(({ words }) => item(words)),
    ),
    ...section(
      'Channels',
      channels.flatMap((channel) => item(troubleText(channel, now))),
    ),
    ...section('Still so', [
      ...conditions
        .slice(0, conditionsMax)
        .flatMap(({ kind, jobId, since, words }) =>
          item(`${kind} since ${moment(since, now)}, job ${jobId}${words === null ? '' : `: ${words}`}`),
        ),
      ...(conditions.length > conditionsMax ? [`  and ${conditions.length - conditionsMax} more`] : []),
    ]),
    ...section(
      'Messages (UTC)',
      digests.length === 0
        ? ['  none yet']
        : digests.flatMap((digest) => [
            ...item(digestText(digest, now)),
            ...digest.deliveries.flatMap((delivery) => [
              ...item(
                `${delivery.channel}${delivery.fallback ? ' (stands in)' : ''}: ${deliveryText(delivery, now)}`,
                2,
              ),
              ...delivery.attempts.flatMap((attempt) => item(attemptText(attempt), 3)),
              ...delivery.providerEvents.slice(-providerEventsMax).flatMap((event) => item(providerText(event), 3)),
            ]),
          ]),
    ),
    ...section(
      'Decisions (UTC)',
      decisions
        .slice(-decisionsMax)
        .flatMap(({ at, type, facts }) =>
          wrapLine(`  ${utcTime(at)}  ${type}: ${facts}`, terminal.textColumns, ' '.repeat(23)),
        ),
    ),
    ...section(
      'Next',
      next.flatMap(({ at, what }) => item(at === null ? what : `${moment(at, now)}: ${what}`)),
    ),
  ];
};

const nameCells = 10;

const routeText = ({
  name,
  channels,
  fallback,
  windowMs,
  firstAtOnce,
  quietHours,
  breakThrough,
}: FrozenRoute): string => {
  const whom = `${listed(channels)}${fallback.length === 0 ? '' : `, else ${listed(fallback)}`}`;
  const when =
    windowMs === 0
      ? 'at once'
      : `gathered for ${formatDuration(windowMs)}${firstAtOnce ? ', the first news of an alert at once' : ''}`;
  const through = breakThrough.length === 0 ? '' : ` (${listed(breakThrough)} all the same)`;
  const quiet = quietHours.length === 0 ? '' : `; quiet ${quietHours.map(windowText).join(', ')}${through}`;
  return `${name}: ${whom}; ${when}${quiet}`;
};

const troubleText = ({ channel, trouble, since, until, detail }: ChannelTrouble, now: string): string => {
  const last = since === null ? '' : `, last at ${utcTime(since)} UTC`;
  return `${channel} ${troubleNames[trouble]}: ${detail}${last}. Tried again ${moment(until, now)}`;
};

const digestText = (digest: ExplainedDigest, now: string): string => {
  const { id, route, purpose, storm, state, openedAt, dueAt, sealedAt } = digest;
  const when = sealedAt === null ? `due ${moment(dueAt, now)}` : `sealed ${moment(sealedAt, now)}`;
  const what = storm === null ? purpose : `${purpose}: ${stormText(storm)}`;
  return `digest ${shortId(id)} of route ${route} (${what}), ${state}: opened ${utcTime(openedAt)}, ${when}`;
};

const attemptText = ({
  number,
  outcome,
  status,
  reason,
  detail,
  startedAt,
}: ExplainedDelivery['attempts'][number]): string =>
  `attempt ${number} at ${utcTime(startedAt)}: ${[outcome, status, reason, detail].filter((part) => part !== null).join(', ')}`;

const providerText = ({ event, recipient, at, detail }: ExplainedDelivery['providerEvents'][number]): string =>
  `provider at ${utcTime(at)}: ${event}${recipient === null ? '' : ` ${recipient}`}${detail === null ? '' : `, ${detail}`}`;
