import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { createTemplateDatabase, dropDatabase } from './template-database.ts';
import { startTestServer } from './test-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a test file asks for the run's database server; the first to ask starts it. */
    readonly testServerBroker: string;
  }
}

/** What the broker answers. */
export type BrokerAnswer = { readonly adminUrl: string; readonly template: string };

/**
 * Once per run. The database server is started when the first test file asks for it over HTTP, so that a run of pure
 * tests does not wait for one.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let stop = async (): Promise<void> => {};
  let answer: Promise<BrokerAnswer> | undefined;

  const start = async (): Promise<BrokerAnswer> => {
    const server = await startTestServer();
    stop = server.stop;
    const template = await createTemplateDatabase(server.adminUrl);
    stop = async () => {
      await dropDatabase(server.adminUrl, template);
      await server.stop();
    };
    return { adminUrl: server.adminUrl, template };
  };

  const broker = createServer((_request, response) => {
    answer ??= start();
    answer.then(
      (found) => response.end(JSON.stringify(found)),
      (error: unknown) =>
        response.writeHead(500).end(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
  });
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
  project.provide('testServerBroker', `http://127.0.0.1:${(broker.address() as AddressInfo).port}`);

  return async () => {
    await answer?.catch(() => {});
    await stop();
    broker.closeAllConnections();
    broker.close();
  };
}
