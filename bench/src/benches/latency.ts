import { setTimeout as delay } from 'node:timers/promises';
import type { SendGridMail } from '@tocsin/testing';
import type { Bench, Finding } from '../bench.ts';
import { formatMs } from '../measure/format.ts';
import { median, quantile } from '../measure/quantile.ts';
import { insertFailures } from '../world/insert-failures.ts';
import type { Lab } from '../world/lab.ts';
import { waitUntil } from '../world/wait-until.ts';
import { startWorld } from '../world/world.ts';
import type { World } from '../world/world.ts';

const failuresMeasured = 100;
const budgetBeyondPollMs = 250;
const timeoutMs = 30_000;
/** Failures come this far apart where waiting for each would take minutes, in milliseconds on average. */
const apartMs = 350;

/** One failure at a time on a route that tells at once: how long until the provider has the mail. */
export const latency: Bench = {
  name: 'latency',
  summary:
    'single failures on a route with window 0, from commit to accepted mail; poll 200 ms: one after the other; poll 2 s: every 350 ms',
  run: async (lab) => [...(await measure(lab, '200ms', 200, true)), ...(await measure(lab, '2s', 2_000, false))],
};

const measure = async (lab: Lab, poll: string, pollMs: number, oneByOne: boolean): Promise<readonly Finding[]> => {
  const world = await startWorld(lab, { poll, window: '0' });
  try {
    const times = await failOneByOne(world, oneByOne, oneByOne ? pollMs : apartMs);
    const budgetMs = pollMs + budgetBeyondPollMs;
    const p99 = quantile(times, 0.99);
    return [
      { what: `poll ${poll}: median`, result: formatMs(median(times)) },
      { what: `poll ${poll}: p99`, result: formatMs(p99), budget: `<= ${budgetMs} ms`, kept: p99 <= budgetMs },
      { what: `poll ${poll}: worst`, result: formatMs(Math.max(...times)) },
    ];
  } finally {
    await world.stop();
  }
};

const failOneByOne = async (world: World, oneByOne: boolean, pauseMs: number): Promise<readonly number[]> => {
  const committedAt: number[] = [];
  for (let index = 0; index < failuresMeasured; index += 1) {
    // At any moment of the detector's pause, since a failure does not wait for a good one.
    await delay(Math.random() * pauseMs * (oneByOne ? 1 : 2));
    await insertFailures(world.database.pool, 1, targetPrefix(index));
    committedAt.push(Date.now());
    if (oneByOne) await mailAbout(world, index);
  }
  const mails = await Promise.all(committedAt.map((_, index) => mailAbout(world, index)));
  return mails.map(({ receivedAt }, index) => Date.parse(receivedAt) - (committedAt[index] ?? 0));
};

/** No prefix is the beginning of another, so that a mail is found by it. */
const targetPrefix = (index: number): string => `single${String(index).padStart(3, '0')}`;

const mailAbout = (world: World, index: number): Promise<SendGridMail> =>
  waitUntil(
    `the mail about failure ${index}`,
    async () => {
      world.detector.assertRunning();
      world.notifier.assertRunning();
      return world.provider.messages().find(({ text }) => text.includes(targetPrefix(index)));
    },
    { timeoutMs, lookEveryMs: 5 },
  );
