/**
 * Program: the place the catalogue comes from. It knows nothing of jobs. Environment: `SOURCE_PORT` (default: any free
 * port), `SOURCE_DIR` (default: the files that the example ships). Stops on SIGTERM, SIGINT, or when its parent is gone.
 */
import { startCatalogueServer } from './source/catalogue-server.ts';
import { onStopSignal } from './stop-signal.ts';

const port = Number(process.env['SOURCE_PORT'] ?? 0);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error(`SOURCE_PORT must be a port number from 0 to 65535, not "${process.env['SOURCE_PORT']}"`);
  process.exit(2);
}
const directory = process.env['SOURCE_DIR'];
const server = await startCatalogueServer({ port, ...(directory === undefined ? {} : { directory }) });
console.log(`source server listening on ${server.url}`);

onStopSignal(async () => {
  await server.close();
  process.exit(0);
});
