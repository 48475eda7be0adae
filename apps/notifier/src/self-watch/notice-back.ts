import { componentJobId, componentTable, endComponent } from '@tocsin/alert-service';
import type { Component, ServiceContext } from '@tocsin/alert-service';

const notifier: Component = { jobType: 'notifier', targetId: null };

/**
 * Whether a batch of signals says that no notifier lives: a detector has told people so by itself, and wrote it down for
 * the notifier that comes back. Whoever reads it is one.
 */
export const tellsOwnSilence = (
  jobs: readonly { readonly data: { readonly signals: readonly unknown[] } }[],
): boolean =>
  jobs.some(({ data }) =>
    data.signals.some(
      (signal) =>
        typeof signal === 'object' &&
        signal !== null &&
        Reflect.get(signal, 'table') === componentTable &&
        Reflect.get(signal, 'jobId') === componentJobId(notifier) &&
        Reflect.get(signal, 'signal') === 'FailureDetected',
    ),
  );

/**
 * Gives a sign of life and ends the silence that is on record, in one transaction, before it is taken in: then its alert
 * opens and is resolved at once, and people read in one line that the notifier was away and is back, not a second time
 * that it is silent. Does nothing when a detector has seen it before.
 *
 * @param progress what the sign of life says
 */
export const noticeBack = (
  service: Pick<ServiceContext, 'store' | 'queue'>,
  instance: string,
  progress: Readonly<Record<string, unknown>>,
): Promise<boolean> =>
  service.store.transaction('notifier.back', async (session) => {
    await session.beat('notifier', instance, progress);
    return endComponent(service, session, notifier, 'it gives signs of life again');
  });
