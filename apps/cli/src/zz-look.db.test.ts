import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settleProviderEvents } from '@tocsin/alert-service';
import { createTestDatabase, insertFailedResearchJob } from '@tocsin/testing';
import { test } from 'vitest';
import { emptyFolder, failure, immediate, ladder, openCliWorld, runForTest, success } from './cli-world.fixture.ts';

const database = await createTestDatabase();
test('look', async () => {
  const cwd = emptyFolder();
  writeFileSync(
    join(cwd, 'tocsin.yaml'),
    JSON.stringify({
      version: 1,
      channels: { email: { type: 'sendgrid', api_key: 'SG.x', to: ['ada@example.com'], from: 't@example.com' } },
    }),
  );
  let log = '';
  const show = async (...args: string[]) => {
    const { code, out, err } = await runForTest(args, {
      env: { DATABASE_URL: database.connectionString },
      cwd,
      columns: 80,
    });
    log += `\n$ tocsin ${args.join(' ')}   [${code}]\n${out}${err}`;
  };
  const world = await openCliWorld(
    database,
    {
      flapping: { times: 1, withinMs: 3_600_000, holdMs: 1_800_000 },
      routes: [
        immediate({
          fallback: ['chat'],
          windowMs: 0,
          quietHours: [],
          firstAtOnce: true,
          escalation: { ...ladder('night', [0, 'chat'], [30, 'pager']), repeat: { everyMs: 3_600_000, times: 3 } },
        }),
      ],
    },
    { recipients: { email: 1 } },
  );
  const at = (second: number): string => new Date(Date.now() - 60_000 + second * 1_000).toISOString();
  await world.signal(failure({ failedAt: at(0) }));
  await world.signal(success({ finishedAt: at(1) }));
  const last = failure({
    failedAt: at(2),
    error:
      'HTTP 503 from http://127.0.0.1:4010/songs: the upstream of this catalogue did not answer within thirty seconds',
  });
  await world.signal(last);
  await world.run();
  const [told] = await world.service.store.read((s) => s.listDeliveries({ state: 'all', channel: 'email', limit: 10 }));
  const [attempt] = await world.service.store.read((s) => s.attemptsOf([told!.id]));
  await settleProviderEvents(world.service, [
    {
      id: randomUUID(),
      provider: 'sendgrid',
      attemptId: attempt!.id,
      deliveryId: told!.id,
      event: 'bounce',
      recipient: 'ada@example.com',
      detail: '550 5.1.1 The email account that you tried to reach does not exist',
      at: new Date().toISOString(),
    },
  ]);
  await world.run();
  await show(
    'silences',
    'add',
    '--source',
    'apple',
    '--kind',
    'failed',
    '--for',
    '2h',
    '--by',
    'ada',
    '--reason',
    'we move the catalogue to the new house and it will fail now and then',
  );
  await world.signal(failure({ failedAt: at(4) }));
  const muted = failure({ source: 'apple', jobType: 'thumbnails' });
  await world.signal(muted);
  world.script.set('email', {
    outcome: 'rejected',
    reason: 'unauthorized',
    status: 401,
    detail: 'The provided authorization grant is invalid, expired, or revoked',
  });
  world.script.set('chat', { outcome: 'rejected', reason: 'bad-request', status: 400, detail: 'no' });
  await world.signal(failure({ source: 'orchard' }));
  await show('silences', 'list');
  await show('alerts', 'list');
  await show('alerts', 'show', 'job/apple/refresh_catalog/songs');
  await show('alerts', 'explain', 'job/apple/refresh_catalog/songs');
  await show('alerts', 'explain', '--job', muted.jobId);
  await show('alerts', 'explain', '--job', last.jobId);
  await show('alerts', 'explain', 'job/orchard/refresh_catalog/songs');
  await show('deliveries', 'list', '--state', 'all');
  await show('deliveries', 'list');
  await show('deliveries', 'retry', '--all');
  const row = await insertFailedResearchJob(database.pool, { source: 'pear' });
  await show('alerts', 'explain', '--job', row);
  await show('doctor');
  await show('channels', 'test', 'outbox');
  await show('channels', 'test', 'nope');
  await show('silences', 'add');
  await show('silences', 'add', '--help');
  await show('silences', '--help');
  await show('deliveries', 'list', '--help');
  await show('deliveries', 'retry', '--help');
  await show('channels', 'test', '--help');
  await show('alerts', 'ack', '--help');
  await show('help');
  writeFileSync('/tmp/look.txt', log);
  await world.close();
}, 60_000);
