import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isCatalogTarget, type CatalogTarget } from '../catalog-targets.ts';
import { allHealthy, changeModes, type SourceModes } from './source-modes.ts';

/** The files that the example ships. */
export const shippedCatalogueDirectory = path.join(import.meta.dirname, '..', '..', 'catalogue');

const modeBodyBytesMax = 4096;
const retryAfterSeconds = 1;
const slowPieces = 120;
const slowPauseMs = 250;

/** A running source server. */
export interface CatalogueServer {
  /** For example `http://127.0.0.1:41873`, without a slash at the end. */
  readonly url: string;
  /** Stops listening and cuts the connections that are still open. */
  readonly close: () => Promise<void>;
}

/**
 * Serves the catalogue on loopback: `GET /catalogue/<target>.json`, `GET /mode` and `POST /mode` (see `sourceModes`).
 * Every file comes with a Content-Digest header (RFC 9530).
 *
 * @param options.port default 0: any free port.
 * @param options.directory default: the files that the example ships.
 */
export async function startCatalogueServer(
  options: { readonly port?: number; readonly directory?: string } = {},
): Promise<CatalogueServer> {
  const directory = options.directory ?? shippedCatalogueDirectory;
  let modes: SourceModes = allHealthy;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const route = `${request.method ?? ''} ${(request.url ?? '').split('?')[0] ?? ''}`;
    if (route === 'POST /mode') {
      const body = await readBody(request);
      try {
        modes = changeModes(modes, body);
      } catch (error) {
        return sendJson(response, 400, { error: error instanceof Error ? error.message : String(error) });
      }
      return sendJson(response, 200, modes);
    }
    if (route === 'GET /mode') return sendJson(response, 200, modes);
    const target = /^GET \/catalogue\/([a-z]+)\.json$/.exec(route)?.[1];
    if (!isCatalogTarget(target)) return sendJson(response, 404, { error: `nothing at ${route}` });
    return sendCatalogue(response, target, directory, modes);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      console.error(`source: ${request.url ?? ''}: ${error instanceof Error ? error.message : String(error)}`);
      response.destroy();
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the source server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function sendCatalogue(
  response: ServerResponse,
  target: CatalogTarget,
  directory: string,
  modes: SourceModes,
): Promise<void> {
  const mode = modes[target];
  if (mode === 'unavailable') {
    response.setHeader('retry-after', String(retryAfterSeconds));
    return sendJson(response, 503, { error: `the ${target} export is being rebuilt` });
  }
  const file = await readFile(path.join(directory, `${target}.json`));
  const bytes = mode === 'corrupt' ? file.subarray(0, Math.floor(file.length / 2)) : file;
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    'content-digest': `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`,
  });
  if (mode === 'slow') return sendSlowly(response, bytes);
  response.end(bytes);
}

async function sendSlowly(response: ServerResponse, bytes: Buffer): Promise<void> {
  const pieceBytes = Math.ceil(bytes.length / slowPieces);
  for (let offset = 0; offset < bytes.length && !response.destroyed; offset += pieceBytes) {
    response.write(bytes.subarray(offset, offset + pieceBytes));
    await delay(slowPauseMs);
  }
  response.end();
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = Buffer.from(chunk as Uint8Array);
    bytes += piece.length;
    if (bytes > modeBodyBytesMax) throw new Error(`the body of POST /mode exceeds ${modeBodyBytesMax} bytes`);
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}
