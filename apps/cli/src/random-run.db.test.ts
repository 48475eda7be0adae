import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeliveryOutcome } from '@tocsin/alert-model';
import { createTestDatabase } from '@tocsin/testing';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { emptyFolder, failure, immediate, ladder, openCliWorld, runForTest, success } from './cli-world.fixture.ts';
import type { CliWorld } from './cli-world.fixture.ts';

const database = await createTestDatabase();
let world: CliWorld;
afterAll(() => world.close());
const steps = 250;
const targets = ['albums', 'songs', 'artists', 'covers'];
const keyOf = (target: string): string => `job/apple/refresh_catalog/${target}`;

const outcome = fc.constantFrom<DeliveryOutcome>(
  { outcome: 'accepted', providerMessageId: null, status: 202 },
  { outcome: 'retry', reason: 'server-error', retryAfterMs: 0, status: 500, detail: 'later' },
  { outcome: 'rejected', reason: 'bad-request', status: 400, detail: 'no' },
  { outcome: 'unknown', reason: 'timeout', status: null, detail: 'no answer' },
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      target: fc.constantFrom(...targets),
      cause: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('succeed' as const), target: fc.constantFrom(...targets) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('ack' as const),
      target: fc.constantFrom(...targets),
      lease: fc.constantFrom('--until-success', '--until-signature-change'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unack' as const), target: fc.constantFrom(...targets) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resolve' as const), target: fc.constantFrom(...targets) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('answer' as const), outcome }) },
);

/** Runs a changed configuration must not change anything of the past. */
const changed = `
version: 1
rules:
  - { match: { source: apple }, severity: info, group_by: [source, job_type] }
  - { match: { job_type: other }, ignore: true }
chains: [{ name: all, source: apple, steps: [{ job_type: refresh_catalog }] }]
routes: [{ name: other, channels: [outbox], digest: { window: 7d } }]
`;

test('after a long random run replay is exact, and a changed configuration changes nothing in it', async () => {
  const escalation = ladder('second', [0, 'oncall']);
  world = await openCliWorld(database, { routes: [immediate({ fallback: ['chat'], escalation })] });
  const seed = Date.now();
  for (const [index, action] of fc.sample(step, { seed, numRuns: steps }).entries()) {
    const at = new Date(Date.now() - (steps - index) * 1_000).toISOString();
    switch (action.do) {
      case 'fail':
        await world.signal(
          failure({ targetId: action.target, failedAt: at, observedAt: at, error: `cause ${'abcd'[action.cause]}` }),
        );
        break;
      case 'succeed':
        await world.signal(success({ targetId: action.target, finishedAt: at, observedAt: at }));
        break;
      case 'ack':
        await world.tocsin('alerts', 'ack', keyOf(action.target), '--by', 'anna', action.lease);
        break;
      case 'unack':
      case 'resolve':
        await world.tocsin('alerts', action.do, keyOf(action.target), '--by', 'anna');
        break;
      case 'answer':
        world.answers.push(action.outcome);
        break;
      default:
        action satisfies never;
    }
  }
  await world.run();

  const { rows } = await database.pool.query<{ type: string }>('select distinct type from tocsin.events');
  // A run that never got anywhere would prove nothing.
  expect(
    rows.map(({ type }) => type),
    `seed ${seed}`,
  ).toEqual(
    expect.arrayContaining([
      'FailureDetected',
      'AlertNotified',
      'NotificationFailed',
      'AlertEscalated',
      'AlertAcknowledged',
      'AlertResolved',
      'ResolutionNotified',
      'DigestFailed',
    ]),
  );
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'tocsin.yaml'), changed);
  const env = { DATABASE_URL: database.connectionString };
  const verify = ['replay', '--all', '--verify'];
  expect(await world.tocsin(...verify), `seed ${seed}`).toMatchObject({ code: 0 });
  expect(await runForTest(verify, { env, cwd }), `seed ${seed}`).toMatchObject({ code: 0, err: '' });
  const summary = (run: { readonly out: string }): unknown => {
    const { seconds: _, eventsPerSecond: __, ...rest } = JSON.parse(run.out) as Record<string, unknown>;
    return rest;
  };
  expect(summary(await runForTest(['replay', '--all', '--json'], { env, cwd }))).toEqual(
    summary(await world.tocsin('replay', '--all', '--json')),
  );
}, 120_000);
