import { decideAcknowledge, decideResolve, decideUnacknowledge } from '@tocsin/alert-model';
import type { AlertId, AlertState, Decision, Instant, Lease } from '@tocsin/alert-model';
import { logDecided } from './log-decided.ts';
import type { ServiceContext } from './service-context.ts';
import { beginWork } from './unit-of-work.ts';

/** What an operator's command came to. */
export type CommandResult =
  | { readonly done: true; readonly reason: string; readonly alert: AlertState }
  | { readonly done: false; readonly refused: string; readonly alert: AlertState | null };

type CommandContext = Pick<ServiceContext, 'store' | 'queue' | 'log' | 'policy'>;

/** How long an acknowledgement is to hold; a span is counted from now by the database's clock. */
export type LeaseRequest = Lease | { readonly until: 'span'; readonly ms: number };

/** Somebody takes an alert. Refused when it is resolved or somebody has it already. */
export const acknowledge = (
  context: CommandContext,
  alertId: AlertId,
  command: { readonly by: string; readonly via: string; readonly lease: LeaseRequest; readonly note: string | null },
): Promise<CommandResult> =>
  run(context, alertId, (state, now) =>
    decideAcknowledge(state, { ...command, lease: fixLease(command.lease, now) }, now),
  );

/** Somebody gives an alert back. */
export const unacknowledge = (context: CommandContext, alertId: AlertId, by: string): Promise<CommandResult> =>
  run(context, alertId, (state, now) => decideUnacknowledge(state, by, now));

/** An operator closes an alert by hand; those who were told of the failure are told so. */
export const resolveByHand = (
  context: CommandContext,
  alertId: AlertId,
  command: { readonly by: string; readonly note: string | null },
): Promise<CommandResult> => run(context, alertId, (state, now) => decideResolve(state, command, now));

const run = async (
  context: CommandContext,
  alertId: AlertId,
  decide: (state: AlertState, now: Instant) => Decision,
): Promise<CommandResult> => {
  const { result, decided } = await context.store.transaction('command', async (session) => {
    await session.lockLog();
    const now = await session.now();
    const work = beginWork(context, session, now);
    const state = (await session.loadAlerts([alertId]))[0];
    if (state === undefined) {
      const missing: CommandResult = { done: false, refused: `there is no alert ${alertId}`, alert: null };
      return { result: missing, decided: [] };
    }
    work.load([state]);
    const decision = decide(state, now);
    if ('refused' in decision) {
      const refused: CommandResult = { done: false, refused: decision.refused, alert: state };
      return { result: refused, decided: [] };
    }
    work.apply(alertId, decision);
    await work.flush();
    const done: CommandResult = { done: true, reason: decision.reason, alert: work.stateOf(alertId) ?? state };
    return { result: done, decided: work.decided };
  });
  logDecided(context, decided);
  return result;
};

/** Gives a span its end. */
export const fixLease = (lease: LeaseRequest, now: Instant): Lease =>
  lease.until === 'span' ? { until: 'time', at: new Date(Date.parse(now) + lease.ms).toISOString() } : lease;
