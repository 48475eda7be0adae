import { audit, judgeCanaries, tellAudit, tellCanary, watchDetector } from '@tocsin/alert-service';
import type { Audit, AuditCheck, ComponentLook, ServiceContext } from '@tocsin/alert-service';
import type { Canary } from './open-canary.ts';
import { pingDeadman } from './ping-deadman.ts';
import type { FetchLike } from './ping-deadman.ts';

/** How long the audit may find something before people are told, in milliseconds: most of it passes by itself. */
export const auditToldAfterMs = 300_000;

/** What was seen to be fine is not asked for an alert to end again for so long, in milliseconds; another process may have told one. */
export const fineForMs = 300_000;

/** What has an alert of its own; the audit does not tell it again. */
const toldElsewhere: ReadonlySet<AuditCheck> = new Set(['detector', 'parked-channels', 'unread-tables']);

/** How the notifier watches Tocsin, itself included. */
export interface SelfWatchOptions {
  readonly service: ServiceContext;
  /** Asked by GET after each clean audit; null: nobody is. */
  readonly deadmanUrl: string | null;
  /** Default: the platform's own. */
  readonly fetch?: FetchLike;
  /** null: no canaries. */
  readonly canary: Canary | null;
  /** Learns of each audit, and of the ping that followed; for metrics and health. Default: nobody does. */
  readonly onAudit?: (result: AuditResult) => void;
  /** Milliseconds that only go forward. Default: `performance.now()`. */
  readonly monotonicMs?: () => number;
}

/** One audit. `pinged`: whether the dead-man's switch took the ping; null: it was not asked. */
export interface AuditResult extends Audit {
  readonly pinged: boolean | null;
}

/** What the watch last saw; each null before the first time. Times are milliseconds since the Unix epoch, for gauges. */
export interface SelfWatchStatus {
  readonly audit: AuditResult | null;
  readonly auditedAtMs: number | null;
  readonly deadmanPingedAtMs: number | null;
  /** How long the newest canary that arrived took, in milliseconds. */
  readonly canaryTookMs: number | null;
  /** When that was. */
  readonly canaryArrivedAtMs: number | null;
  readonly detector: ComponentLook | null;
}

export interface SelfWatch {
  /**
   * Looks whether everything is on its way; pings when it is. What it finds is logged once per change, and told when it
   * has lasted for `auditToldAfterMs`.
   */
  readonly auditNow: () => Promise<AuditResult>;
  /** Looks whether a detector lives. */
  readonly watchDetectorNow: () => Promise<ComponentLook>;
  /** Sends a canary when it is time. */
  readonly sendCanaryNow: () => Promise<void>;
  /** Looks whether canaries arrive, and how fast. */
  readonly watchCanariesNow: () => Promise<void>;
  readonly status: () => SelfWatchStatus;
  /** Ends a ping under way. */
  readonly stop: () => void;
}

export const createSelfWatch = (options: SelfWatchOptions): SelfWatch => {
  const { service, deadmanUrl, canary, onAudit = () => {} } = options;
  const { log } = service;
  const fetch: FetchLike = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  const monotonicMs = options.monotonicMs ?? (() => performance.now());
  const startedMs = monotonicMs();
  const stopping = new AbortController();
  let status: SelfWatchStatus = {
    audit: null,
    auditedAtMs: null,
    deadmanPingedAtMs: null,
    canaryTookMs: null,
    canaryArrivedAtMs: null,
    detector: null,
  };
  /** What was logged last, so that a lasting problem is one line. */
  let logged = '';
  let pingProblem: string | null = null;
  let dirtySinceMs: number | null = null;

  /** When a look at a part last found it fine, with no alert left to end. */
  const fineSince = new Map<string, number>();
  const isKnownFine = (part: string): boolean => {
    const since = fineSince.get(part);
    return since !== undefined && monotonicMs() - since < fineForMs;
  };
  const noted = (part: string, look: ComponentLook): ComponentLook => {
    if (look === 'new' || look === 'known') fineSince.delete(part);
    else fineSince.set(part, monotonicMs());
    return look;
  };

  const logChange = ({ clean, problems }: Audit): void => {
    const found = problems.map(({ check }) => check).join(' ');
    if (found === logged) return;
    if (clean) log.info({ decision: 'AuditClean' }, 'the audit is clean again');
    else
      log.error(
        { decision: 'AuditFound', problems: problems.map(({ check, count, words }) => ({ check, count, words })) },
        `the audit found: ${problems.map(({ words }) => words).join('; ')}`,
      );
    logged = found;
  };

  const ping = async (): Promise<boolean | null> => {
    if (deadmanUrl === null) return null;
    const problem = await pingDeadman(fetch, deadmanUrl, stopping.signal);
    if (problem === null) status = { ...status, deadmanPingedAtMs: Date.now() };
    if (problem !== null && problem !== pingProblem && !stopping.signal.aborted)
      log.warn({ decision: 'DeadmanNotPinged', reason: problem }, "the dead-man's switch did not take the ping");
    pingProblem = problem;
    return problem === null;
  };

  const tell = async ({ problems }: Audit): Promise<void> => {
    const own = problems.filter(({ check }) => !toldElsewhere.has(check));
    if (own.length === 0) {
      dirtySinceMs = null;
      if (!isKnownFine('audit')) noted('audit', await tellAudit(service, null));
      return;
    }
    dirtySinceMs ??= monotonicMs();
    if (monotonicMs() - dirtySinceMs < auditToldAfterMs) return;
    const error = `Tocsin finds that something of its own is not on its way: ${own.map(({ words }) => words).join('; ')}.`;
    noted('audit', await tellAudit(service, { error, notes: ['See npx tocsin doctor.'] }));
  };

  return {
    auditNow: async () => {
      const result = await audit(service);
      logChange(result);
      const audited: AuditResult = { ...result, pinged: result.clean ? await ping() : null };
      status = { ...status, audit: audited, auditedAtMs: Date.now() };
      onAudit(audited);
      await tell(result);
      return audited;
    },
    watchDetectorNow: async () => {
      const isFine = isKnownFine('detector');
      const detector = await watchDetector(service, monotonicMs() - startedMs, isFine);
      if (!isFine || detector !== 'fine') noted('detector', detector);
      status = { ...status, detector };
      return detector;
    },
    sendCanaryNow: async () => {
      if (canary === null) return;
      if (await canary.send()) log.debug({ decision: 'CanarySent' }, 'a canary is on its way');
    },
    watchCanariesNow: async () => {
      if (canary === null) return;
      const canaries = await canary.look();
      const { problem } = judgeCanaries(canaries);
      const arrived = canaries.find(({ tookMs }) => tookMs !== null);
      if (arrived !== undefined && arrived.tookMs !== null)
        status = {
          ...status,
          canaryTookMs: arrived.tookMs,
          canaryArrivedAtMs: Date.now() - arrived.ageMs + arrived.tookMs,
        };
      if (problem === null && isKnownFine('canary')) return;
      const look = noted('canary', await tellCanary(service, problem));
      if (look === 'new') log.error({ decision: 'CanaryLost' }, problem?.error ?? '');
    },
    status: () => status,
    stop: () => stopping.abort(),
  };
};
