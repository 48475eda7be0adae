import { randomUUID } from 'node:crypto';
import { alertStream, evolveAlert } from '@tocsin/alert-model';
import type { AlertEvent, AlertId, AlertState, FrozenChain, OutcomeId, Step } from '@tocsin/alert-model';
import type { DetectorBench } from './detector.fixture.ts';

/** What an open alert is about; by default a job of `apple` in `research_jobs`. */
export interface FailedWork {
  readonly step: Step;
  readonly source?: string;
  readonly table?: string;
  readonly failedAt: string;
  readonly chain?: FrozenChain | null;
}

/** An open alert about one failure, as the notifier would have stored it. */
export const storeOpenAlert = async (
  { store }: Pick<DetectorBench, 'store'>,
  { step, source = 'apple', table = 'research_jobs', failedAt, chain = null }: FailedWork,
): Promise<AlertState> => {
  const id = randomUUID() as AlertId;
  const event: AlertEvent = {
    type: 'FailureDetected',
    occurredAt: failedAt,
    data: {
      alertId: id,
      key: `test/${id}`,
      outcomeId: randomUUID() as OutcomeId,
      table,
      jobId: '1',
      kind: 'failed',
      severity: 'error',
      source,
      jobType: step.jobType,
      targetId: step.targetId,
      attempts: 3,
      maxAttempts: 3,
      error: 'boom',
      signature: 'boom',
      failedAt,
      run: chain === null ? null : 'monday',
      missing: [],
      lastGreenAt: null,
      notes: [],
      details: null,
      observedAt: failedAt,
      opening: {
        title: 'test',
        rule: null,
        chain,
        routes: [
          {
            name: 'default',
            channels: ['outbox'],
            fallback: [],
            windowMs: 0,
            firstAtOnce: false,
            quietHours: [],
            breakThrough: ['critical'],
            escalation: null,
          },
        ],
        predecessor: null,
        flapping: null,
      },
    },
  };
  const state = evolveAlert(null, event);
  await store.transaction('test', async (session) => {
    await session.appendEvents([{ streamId: alertStream(id), expectedVersion: 0, events: [event] }]);
    await session.saveAlerts([state]);
  });
  return state;
};
