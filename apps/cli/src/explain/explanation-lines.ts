import { formatDuration } from '@tocsin/runtime';
import { cleanLine } from '../printing/clean-line.ts';
import { shortId } from '../printing/job-name.ts';
import { listed } from '../printing/lines.ts';
import { moment, utcTime } from '../printing/moment.ts';
import { paint } from '../printing/paint.ts';
import type { Terminal } from '../terminal.ts';
import type { AlertExplanation, ExplainedDigest } from './alert-explanation.ts';

/** Decisions shown; of a longer story, the latest. */
const decisionsMax = 30;
/** Conditions shown; `--json` has all. */
const conditionsMax = 20;

/** An explanation for people. */
export const explanationLines = (explanation: AlertExplanation, terminal: Terminal, now: string): readonly string[] => {
  const bold = (text: string): string => paint(terminal, 'bold', text);
  const { conditions, decisions, digests, next } = explanation;
  return [
    bold(cleanLine(`${explanation.title}: ${explanation.state}`)),
    cleanLine(explanation.verdict),
    '',
    bold('Why'),
    `  alert      ${explanation.alertId}`,
    `  key        ${cleanLine(explanation.key)}`,
    `  rule       ${cleanLine(explanation.rule)}, severity ${explanation.severity}`,
    ...explanation.routes.map(
      ({ name, channels, fallback, windowMs, escalation }) =>
        `  route      ${cleanLine(
          `${name}: ${listed(channels)}${fallback.length === 0 ? '' : `, else ${listed(fallback)}`}; ${windowMs === 0 ? 'at once' : `gathered for ${formatDuration(windowMs)}`}` +
            (escalation === null
              ? ''
              : `; unacknowledged for ${formatDuration(escalation.afterMs)}, ${escalation.name} is told (${listed(escalation.channels)})`),
        )}`,
    ),
    ...(conditions.length === 0
      ? []
      : [
          '',
          bold('Still so'),
          ...conditions
            .slice(0, conditionsMax)
            .map(({ kind, jobId, since, words }) =>
              cleanLine(`  ${kind} since ${moment(since, now)}, job ${jobId}${words === null ? '' : `: ${words}`}`),
            ),
          ...(conditions.length > conditionsMax ? [`  and ${conditions.length - conditionsMax} more`] : []),
        ]),
    '',
    bold('Messages (UTC)'),
    ...(digests.length === 0 ? ['  none yet'] : digests.flatMap((digest) => digestLines(digest, now))),
    ...(decisions.length === 0
      ? []
      : [
          '',
          bold('Decisions (UTC)'),
          ...decisions.slice(-decisionsMax).map(({ at, type, facts }) => `  ${utcTime(at)}  ${type}: ${facts}`),
        ]),
    '',
    bold('Next'),
    ...next.map(({ at, what }) => `  ${cleanLine(at === null ? what : `${moment(at, now)}: ${what}`)}`),
  ];
};

const digestLines = (digest: ExplainedDigest, now: string): readonly string[] => {
  const when = digest.sealedAt === null ? `due ${moment(digest.dueAt, now)}` : `sealed ${moment(digest.sealedAt, now)}`;
  return [
    `  digest ${shortId(digest.id)} of route ${cleanLine(digest.route)} (${digest.purpose}), ${digest.state}: opened ${utcTime(digest.openedAt)}, ${when}`,
    ...digest.deliveries.flatMap(({ channel, state, fallback, attempts, nextAttemptAt }) => [
      `    ${cleanLine(channel)}${fallback ? ' (stands in for one that gave up)' : ''}: ${state}${nextAttemptAt === null ? '' : `, next ${moment(nextAttemptAt, now)}`}`,
      ...attempts.map(
        ({ number, outcome, reason, detail, status, startedAt }) =>
          `      attempt ${number} at ${utcTime(startedAt)}: ${cleanLine([outcome, status, reason, detail].filter((part) => part !== null).join(', '))}`,
      ),
    ]),
  ];
};
