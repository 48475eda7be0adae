import { alertModelVersion, canaryChannel, canaryTable, evolveAlert } from '@tocsin/alert-model';
import { audit, defaultSettings, judgeCanaries } from '@tocsin/alert-service';
import type { AuditCheck } from '@tocsin/alert-service';
import { createPostgresStore, readCanaries } from '@tocsin/event-store';
import type { PostgresStore, Silence } from '@tocsin/event-store';
import { databaseNow, formatDuration } from '@tocsin/runtime';
import type { Config } from '@tocsin/runtime';
import { counted } from '../printing/lines.ts';
import { relativeTime } from '../printing/moment.ts';
import { fail, ok, warn } from './finding.ts';
import type { Finding, Patient } from './finding.ts';

/** Canaries looked at, as the notifier does. */
const canariesMax = 5;

/** What other checks of the doctor look at, more closely. */
const checkedElsewhere: ReadonlySet<AuditCheck> = new Set([
  'parked-channels',
  'detector',
  'unread-tables',
  'unaccounted-failures',
  'overdue-silences',
]);

/** Does Tocsin keep its promises about what is open, and would somebody notice if it did not? */
export const checkSelfWatch = async ({ config, pool }: Patient): Promise<readonly Finding[]> => {
  const store = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });
  const now = await databaseNow(pool);
  const { attemptTimeoutMs } = config.delivery;
  const { problems } = await audit({
    store,
    settings: { ...defaultSettings, attemptTimeoutMs, staleAfterMs: config.selfWatch.staleAfterMs },
  });
  const overdueSilences = problems.find(({ check }) => check === 'overdue-silences');
  const own = problems.filter(({ check }) => !checkedElsewhere.has(check));
  return [
    ...(own.length === 0
      ? [ok('audit', 'every open alert has a next action in its time, and no attempt is left without an outcome')]
      : own.map(({ check, words }) => fail('audit', words, cures[check] ?? cureOfNotifier))),
    overdueSilences === undefined
      ? silenceFinding(await activeSilences(store), now)
      : fail('silences', overdueSilences.words, cureOfNotifier),
    deadmanFinding(config),
    await canaryFinding(config, pool),
  ];
};

const cureOfNotifier = 'start the notifier: npx tocsin notifier; if it runs, its log says why it cannot go on';
const cures: Readonly<Partial<Record<AuditCheck, string>>> = {
  'untold-alerts': 'see them: npx tocsin deliveries list; when the channel works: npx tocsin deliveries retry --all',
};

const activeSilences = (store: PostgresStore): Promise<readonly Silence[]> =>
  store.read((session) => session.activeSilences());

const silenceFinding = (silences: readonly Silence[], now: string): Finding => {
  if (silences.length === 0) return ok('silences', 'nothing is muted');
  const ends = silences
    .flatMap(({ end }) => (end.until === 'time' ? [end.at] : []))
    .toSorted()
    .slice(0, 1)
    .map((at) => `, the next to end ${relativeTime(at, now)}`);
  return ok('silences', `${counted(silences.length, 'silence is', 'silences are')} on${ends.join('')}`);
};

const deadmanFinding = ({ selfWatch: { deadmanUrl, auditMs } }: Config): Finding =>
  deadmanUrl === undefined
    ? warn(
        'dead-man',
        'if this whole machine dies, nobody is told: no service outside waits for signs of life',
        'set DEADMAN_URL to the ping address of a check, such as https://hc-ping.com/UUID of healthchecks.io',
      )
    : // The rest of the address is a secret.
      ok(
        'dead-man',
        `${URL.parse(deadmanUrl)?.host ?? 'a service outside'} is asked after each clean audit, every ${formatDuration(auditMs)}`,
      );

const canaryFinding = async ({ selfWatch: { canaryMs } }: Config, pool: Patient['pool']): Promise<Finding> => {
  if (canaryMs === undefined) return ok('canary', 'off (self_watch.canary)');
  const canaries = await readCanaries(pool, { table: canaryTable, channel: canaryChannel, limit: canariesMax });
  const { problem } = judgeCanaries(canaries);
  if (problem !== null)
    return warn(
      'canary',
      problem.error,
      'real failures may be stuck on the same way: look at detector, notifier and queue above',
    );
  const every = `one every ${formatDuration(canaryMs)} travels from table to outbox`;
  const arrived = canaries.find(({ tookMs }) => tookMs !== null);
  if (arrived === undefined)
    return ok('canary', `${every}; ${canaries.length === 0 ? 'none was sent yet' : 'the first is on its way'}`);
  return ok(
    'canary',
    `${every}; the last took ${formatDuration(arrived.tookMs ?? 0)}, ${formatDuration(arrived.ageMs)} ago`,
  );
};
