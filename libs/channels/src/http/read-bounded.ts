import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';

/** Most bytes of an answer that are read unless the caller expects more. */
export const answerBytesMax = 65_536;
/** Longest wait for the rest of an answer whose status alone decides, in milliseconds. */
export const answerWaitMs = 1_000;

/**
 * The beginning of a body as text. A body that is slow, endless or broken off gives what came of it; never throws.
 *
 * @param waitMs longest wait for the whole of it
 * @param bytesMax most that is read
 */
export const readBounded = async (
  body: unknown,
  waitMs: number = answerWaitMs,
  bytesMax: number = answerBytesMax,
): Promise<string> => {
  if (!(body instanceof Readable)) return '';
  const chunks: Buffer[] = [];
  let bytes = 0;
  const patience = setTimeout(() => body.destroy(), waitMs);
  try {
    for await (const chunk of body) {
      const piece = Buffer.from(chunk as Uint8Array);
      chunks.push(piece);
      bytes += piece.length;
      if (bytes >= bytesMax) break;
    }
  } catch {
    // The connection broke off; what came is all there is.
  } finally {
    clearTimeout(patience);
    body.on('error', () => {}).destroy();
  }
  return Buffer.concat(chunks).subarray(0, bytesMax).toString('utf8');
};
