import { canaryChannel } from '@tocsin/alert-model';
import { componentTable, endComponent } from './component-alerts.ts';
import type { ServiceContext } from './service-context.ts';

/** Most conditions of Tocsin's own parts looked through: a handful, and one per channel that does not work. */
const conditionsMax = 1_000;
const prefix = 'channel/';

/**
 * A channel that does not work and is configured no more is no problem any more: its alert ends, and it is not parked. What
 * still waits for it goes on waiting, since it may come back under its name.
 *
 * @returns the channels that were let go
 */
export const forgetMissingChannels = async (
  context: Pick<ServiceContext, 'store' | 'queue' | 'policy' | 'log'>,
): Promise<readonly string[]> => {
  const configured = new Set([...context.policy.channels, canaryChannel]);
  const gone = await context.store.transaction('notifier.forget_channels', async (session) => {
    await session.lockLog();
    const open = await session.openConditions(componentTable, conditionsMax);
    const missing = open.flatMap(({ jobId }) =>
      jobId.startsWith(prefix) && !configured.has(jobId.slice(prefix.length)) ? [jobId.slice(prefix.length)] : [],
    );
    for (const channel of missing) {
      await session.unparkChannel(channel);
      await endComponent(context, session, { jobType: 'channel', targetId: channel }, 'it is configured no more');
    }
    return missing;
  });
  if (gone.length > 0)
    context.log.info(
      { decision: 'ChannelsForgotten', channels: gone },
      'channels that did not work are configured no more',
    );
  return gone;
};
