import { createHash } from 'node:crypto';
import type { CatalogTarget } from '../catalog-targets.ts';

const catalogueBytesMax = 16 * 1024 * 1024;
const downloadTimeoutMs = 60_000;

/**
 * Downloads the catalogue file of one target and checks it against the digest the source sent with it (Content-Digest,
 * RFC 9530).
 *
 * @throws Error when the source cannot be reached, does not answer 200, sends too much, or sends other bytes than it
 * announced.
 */
export async function downloadCatalogue(
  sourceUrl: string,
  target: CatalogTarget,
  signal: AbortSignal,
): Promise<string> {
  const url = `${sourceUrl}/catalogue/${target}.json`;
  const within = AbortSignal.any([signal, AbortSignal.timeout(downloadTimeoutMs)]);
  let response: Response;
  let bytes: Buffer;
  try {
    response = await fetch(url, { signal: within });
    if (!response.ok) throw new Error(await describeRefusal(url, response));
    bytes = await readBounded(response, url);
  } catch (error) {
    signal.throwIfAborted();
    // fetch hides the reason (refused, reset, timed out) in the cause of a plain "fetch failed".
    if (error instanceof TypeError)
      throw new Error(`GET ${url} got no answer: is the source up?`, { cause: error.cause });
    throw error;
  }
  checkDigest(url, bytes, response.headers.get('content-digest'));
  return bytes.toString('utf8');
}

/**
 * Compares bytes with a Content-Digest header that carries sha-256. A source that sends no digest is believed.
 *
 * @throws Error naming both digests when they differ.
 */
export function checkDigest(url: string, bytes: Uint8Array, header: string | null): void {
  const announced = /(?:^|,\s*)sha-256=:([A-Za-z0-9+/=]+):/.exec(header ?? '')?.[1];
  if (announced === undefined) return;
  const actual = createHash('sha256').update(bytes).digest('base64');
  if (actual !== announced) {
    throw new Error(`checksum of ${url} does not match: announced sha-256 ${announced}, received ${actual}`);
  }
}

async function describeRefusal(url: string, response: Response): Promise<string> {
  const retryAfter = response.headers.get('retry-after');
  const body = (await response.text()).trim().slice(0, 200);
  const again = retryAfter === null ? '' : `, Retry-After: ${retryAfter} s`;
  return `GET ${url} answered ${response.status} ${response.statusText}${again}: ${body}`;
}

async function readBounded(response: Response, url: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > catalogueBytesMax) throw new Error(`${url} is larger than ${catalogueBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
