/**
 * A worker process for tests that kill it: claims a job of `signals`, says so on stdout, and never ends.
 * Usage: node --conditions=@tocsin/source claim-holder.fixture.ts CONNECTION_STRING
 */
import { createQueue } from './create-queue.ts';
import { testCallbacks, type TestPayloads } from './test-payloads.fixture.ts';

const queue = createQueue<TestPayloads>({ connectionString: process.argv[2] ?? '', ...testCallbacks([], []) });
await queue.start();
await queue.work('signals', { batchSize: 1, concurrency: 1 }, async () => {
  process.stdout.write('claimed\n');
  await new Promise(() => {});
});
