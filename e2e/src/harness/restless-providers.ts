import { setTimeout as delay } from 'node:timers/promises';
import type { SmtpDouble } from '@tocsin/testing';
import type { Providers } from './providers.ts';
import type { Random } from './random.ts';

/** Providers that fail now and then. */
export interface RestlessProviders {
  /** Faults there were, by provider. The last one of each may not have met a request. */
  readonly done: () => Readonly<Record<string, number>>;
  readonly stop: () => Promise<void>;
}

export interface RestlessProvidersOptions {
  /** Pause between two faults, in milliseconds. */
  readonly pauseMs: { readonly min: number; readonly max: number };
  readonly random: Random;
}

/** Messages that a provider takes between two faults, so that they do not pile up to a provider that is out of order. */
const messagesBetween = 2;
/** How long a provider that is late takes, in milliseconds. */
const lateMs = 700;

/** Lets one request after the other meet a fault: refused, late, or taken without an answer. */
export const startRestlessProviders = (
  { sendGrid, slack, webhook }: Providers,
  smtp: Pick<SmtpDouble, 'next' | 'messages'>,
  { pauseMs, random }: RestlessProvidersOptions,
): RestlessProviders => {
  const stopping = new AbortController();
  const done = new Map<string, number>();
  const overHttp = [
    { kind: 'status', status: 503 },
    { kind: 'rate-limited', retryAfter: '1', resetInSeconds: 1 },
    { kind: 'accept-late', afterMs: lateMs },
    { kind: 'accept-then-reset' },
    { kind: 'accept-headers-then-reset' },
    { kind: 'reset' },
  ] as const;
  const providers = {
    mail: {
      taken: () => smtp.messages().length,
      fail: () =>
        smtp.next(
          random.pick([
            { kind: 'refuse-data', code: 451, text: 'try again later' },
            { kind: 'accept-late', afterMs: lateMs },
            { kind: 'accept-then-close' },
            { kind: 'close-after-data' },
          ] as const),
        ),
    },
    grid: {
      taken: () => sendGrid.messages().length,
      // Refused for good too, since another channel takes over from it.
      fail: () => sendGrid.next(random.pick([...overHttp, { kind: 'status', status: 400 }] as const)),
    },
    chat: { taken: () => slack.messages().length, fail: () => slack.next(random.pick(overHttp)) },
    hook: { taken: () => webhook.taken().length, fail: () => webhook.next(random.pick(overHttp)) },
  };
  const takenAt = new Map<string, number>();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const name = random.pick(['mail', 'grid', 'chat', 'hook'] as const);
      const { taken, fail } = providers[name];
      if (taken() >= (takenAt.get(name) ?? 0) + messagesBetween) {
        takenAt.set(name, taken());
        fail();
        done.set(name, (done.get(name) ?? 0) + 1);
      }
      await delay(random.between(pauseMs.min, pauseMs.max), undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const running = run();
  return {
    done: () => Object.fromEntries(done),
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
};
