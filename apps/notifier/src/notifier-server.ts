import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceContext } from '@tocsin/alert-service';
import { startWorkerServer } from '@tocsin/runtime';
import type { Config, Metrics, Pool, WorkerServer } from '@tocsin/runtime';
import { sendGridHook } from './hooks/sendgrid-hook.ts';
import { slackHook } from './hooks/slack-hook.ts';
import type { SlackHookOptions } from './hooks/slack-hook.ts';
import { notifierHealth, notifierReady } from './notifier-health.ts';
import type { NotifierMetrics } from './notifier-metrics.ts';
import type { Notifier } from './notifier.ts';

/** Longest wait at the end for clicks whose work goes on, in milliseconds. */
const underWayMaxMs = 5_000;

/** What the port of a notifier needs. */
export interface NotifierServerOptions {
  readonly config: Pick<Config, 'workers' | 'channels' | 'sendgridWebhookKey' | 'slackSigningSecret'>;
  readonly service: ServiceContext;
  readonly notifier: Pick<Notifier, 'status'>;
  readonly pool: Pool;
  readonly metrics: Metrics;
  readonly counted: NotifierMetrics;
  /** For tests. Default: Slack's own addresses. */
  readonly slack?: Omit<SlackHookOptions, 'underWay'>;
}

/**
 * Listens for health, metrics, SendGrid's events and Slack's clicks. null when the configuration switches the port off.
 *
 * @throws TocsinError when a chosen port cannot be listened on, or SENDGRID_WEBHOOK_KEY is no key
 */
export const startNotifierServer = async ({
  config,
  service,
  notifier,
  pool,
  metrics,
  counted,
  slack = {},
}: NotifierServerOptions): Promise<WorkerServer | null> => {
  const { host, notifierPort } = config.workers;
  const underWay = new Set<Promise<void>>();
  const hooks = [
    sendGridHook(service, config.sendgridWebhookKey ?? null, counted),
    slackHook(service, signingSecrets(config), { ...slack, underWay }),
  ];
  if (notifierPort === undefined) return null;
  const startedMs = performance.now();
  const server = await startWorkerServer({
    host,
    port: notifierPort,
    setting: 'TOCSIN_NOTIFIER_PORT',
    log: service.log,
    health: () => notifierHealth(notifier.status(), performance.now() - startedMs),
    ready: () => notifierReady(pool, notifier.status()),
    metrics,
    hooks,
  });
  return {
    address: server.address,
    stop: async () => {
      await server.stop();
      await Promise.race([Promise.all(underWay), delay(underWayMaxMs, undefined, { ref: false })]);
    },
  };
};

/** Channels may be of several Slack apps, each with a secret of its own. */
const signingSecrets = ({
  channels,
  slackSigningSecret,
}: Pick<Config, 'channels' | 'slackSigningSecret'>): readonly string[] => [
  ...new Set([
    ...(slackSigningSecret === undefined ? [] : [slackSigningSecret]),
    ...Object.values(channels).flatMap((channel) =>
      'signingSecret' in channel && channel.signingSecret !== undefined ? [channel.signingSecret] : [],
    ),
  ]),
];
