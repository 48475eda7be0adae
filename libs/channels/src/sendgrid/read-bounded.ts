import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';

/** Most bytes of an error page that are read. */
export const answerBytesMax = 65_536;
/** Longest wait for the rest of an error page, in milliseconds: its status is known and decides. */
export const answerWaitMs = 1_000;

/** The beginning of a body as text. A body that is slow, endless or broken off gives what came of it; never throws. */
export const readBounded = async (body: unknown): Promise<string> => {
  if (!(body instanceof Readable)) return '';
  const chunks: Buffer[] = [];
  let bytes = 0;
  const patience = setTimeout(() => body.destroy(), answerWaitMs);
  try {
    for await (const chunk of body) {
      const piece = Buffer.from(chunk as Uint8Array);
      chunks.push(piece);
      bytes += piece.length;
      if (bytes >= answerBytesMax) break;
    }
  } catch {
    // The connection broke off; what came is all there is.
  } finally {
    clearTimeout(patience);
    body.on('error', () => {}).destroy();
  }
  return Buffer.concat(chunks).subarray(0, answerBytesMax).toString('utf8');
};
