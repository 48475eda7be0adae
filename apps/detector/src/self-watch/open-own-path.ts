import { randomUUID } from 'node:crypto';
import { FailureSignal, classifyFailure, ownSource } from '@tocsin/alert-model';
import type { DigestMessage, FrozenRoute, Policy } from '@tocsin/alert-model';
import { componentTable } from '@tocsin/alert-service';
import { createChannel } from '@tocsin/channels';
import type { Channel } from '@tocsin/channels';
import type { Config, Logger } from '@tocsin/runtime';
import type { OwnPath } from './watch-notifier.ts';

/** Longest time one channel may take, in milliseconds. */
const attemptMaxMs = 30_000;
/** Below this nothing can be expected of a provider, in milliseconds. */
const attemptMinMs = 1_000;

/** Channels that nobody is woken by: files, and the log. */
const localTypes: ReadonlySet<string> = new Set(['outbox', 'console']);

/**
 * The way to people that needs no notifier: the channels that alerts of Tocsin itself go to, one after the other, then
 * every other one. Files and the log take a message as well when nobody else does, but only where there are no other
 * channels does that count as told. Channels are made when they are needed, so that a detector in good times loads none.
 *
 * @param options.createChannel for tests. Default: the real ones
 */
export const openOwnPath = (
  config: Pick<Config, 'channels'>,
  policy: Policy,
  log: Logger,
  options: { readonly createChannel?: typeof createChannel } = {},
): OwnPath => {
  const accepts = async (name: string, message: DigestMessage, signal: AbortSignal, timeoutMs: number) => {
    const settings = config.channels[name];
    if (settings === undefined) return false;
    let channel: Channel | null = null;
    try {
      channel = (options.createChannel ?? createChannel)(name, settings, { log });
      const outcome = await channel.send(
        { message, deliveryId: message.digestId, attemptId: randomUUID(), messageId: message.threadId },
        { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]), timeoutMs },
      );
      // One that may have been accepted is no proof that anybody heard: the next channel is told as well.
      if (outcome.outcome === 'accepted') return true;
      log.error({ channel: name, ...outcome }, 'a message about a silent notifier was not accepted');
    } catch (error) {
      log.error({ channel: name, err: error }, 'a channel failed with a message about a silent notifier');
    } finally {
      await channel?.close();
    }
    return false;
  };
  const isLocal = (name: string): boolean => localTypes.has(config.channels[name]?.type ?? '');
  return {
    tell: async (message, { signal, withinMs }) => {
      const untilMs = performance.now() + withinMs;
      const classified = classifyFailure(silence(message), policy, message.composedAt);
      if ('ignoredBy' in classified) return { outcome: 'ignored', ignoredBy: classified.ignoredBy };
      const named = channelsFor(classified.routes, policy.channels).filter((name) => name in config.channels);
      const names = [...named.filter((name) => !isLocal(name)), ...named.filter(isLocal)];
      for (const [n, name] of names.entries()) {
        // A slow channel leaves time for those after it.
        const leftMs = (untilMs - performance.now()) / (names.length - n);
        if (leftMs <= 0 || signal.aborted) break;
        const timeoutMs = Math.round(Math.min(attemptMaxMs, Math.max(attemptMinMs, leftMs)));
        if (!(await accepts(name, message, signal, timeoutMs))) continue;
        return isLocal(name) && !names.every(isLocal) ? { outcome: 'refused' } : { outcome: 'told', channel: name };
      }
      return { outcome: 'refused' };
    },
  };
};

/** In the order in which they are tried. */
const channelsFor = (routes: readonly FrozenRoute[], others: readonly string[]): readonly string[] => [
  ...new Set([...routes.flatMap(({ channels }) => channels), ...routes.flatMap(({ fallback }) => fallback), ...others]),
];

/** The failure that the message is about, for finding its routes. */
const silence = ({ composedAt }: DigestMessage): FailureSignal =>
  FailureSignal.parse({
    v: 1,
    signal: 'FailureDetected',
    outcomeId: randomUUID(),
    table: componentTable,
    jobId: 'notifier',
    kind: 'unhealthy',
    source: ownSource,
    jobType: 'notifier',
    targetId: null,
    attempts: null,
    maxAttempts: null,
    error: null,
    failedAt: composedAt,
    run: null,
    runContext: null,
    notes: [],
    observedAt: composedAt,
  });
