import type { Buffer } from 'node:buffer';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { howEnded } from '../how-ended.ts';
import { readBounded } from './read-bounded.ts';
import type { AnswerHeaders } from './retry-after.ts';
import { trackTransport } from './tracked-transport.ts';
import type { RequestPhase } from './tracked-transport.ts';

/** One request to a provider. */
export interface PostRequest {
  readonly url: string;
  /** Content-Type among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent byte for byte as it is. */
  readonly body: string | Buffer;
  /** Bound on the whole request, in milliseconds. */
  readonly timeoutMs: number;
  /** Ends the request early. */
  readonly signal: AbortSignal;
  /** Finds the addresses of the host. Not asked about a literal address. Default: the system's resolver. */
  readonly lookup?: LookupFunction;
  /** How long the rest of a good answer may take, in milliseconds; of a refusal the status is enough. Default: `answerWaitMs`, 1 s. */
  readonly bodyWaitMs?: number;
  /** Most bytes of an answer's body that are read. Default: `answerBytesMax`, 64 KB. */
  readonly bodyBytesMax?: number;
}

/** The provider spoke: any status, redirects included. */
export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  /** Names in lower case. */
  readonly headers: AnswerHeaders;
  /** The beginning of the body as text, at most `bodyBytesMax`; shorter when it came too slowly or broke off. */
  readonly body: string;
}

/** No status came. From phase `connected` on, the provider may have taken the request. */
export interface Silence {
  readonly kind: 'silence';
  readonly phase: RequestPhase;
  /** May hold the request with its secrets: for `silenceOutcome`, never for a log. */
  readonly error: unknown;
  readonly timedOut: boolean;
  readonly stopped: boolean;
}

export type PostResult = Answer | Silence;

/**
 * Makes one POST request over a connection of its own: a connection kept open may be closed by the other side just as it
 * is used again, and nobody could tell then whether the message went out. Follows no redirect, since key and message
 * would go wherever the answer says; uses no proxy named in the environment; takes every status for an answer. Rejects
 * only when axios, which the first request loads, is not there; nothing was sent then.
 */
export const post = async (request: PostRequest): Promise<PostResult> => {
  const { default: axios } = await import('axios');
  const { url, headers, body, timeoutMs, signal, lookup, bodyWaitMs, bodyBytesMax } = request;
  const deadline = AbortSignal.timeout(timeoutMs);
  const tracked = trackTransport(lookup);
  try {
    const response = await axios.request<unknown>({
      method: 'post',
      url,
      headers: { 'User-Agent': 'Tocsin', 'Accept-Encoding': 'identity', ...headers },
      data: body,
      // Signatures cover the very bytes; axios would trim and re-encode JSON.
      transformRequest: [(data: unknown) => data],
      signal: AbortSignal.any([signal, deadline]),
      transport: tracked.transport,
      httpAgent: new http.Agent({ keepAlive: false }),
      httpsAgent: new https.Agent({ keepAlive: false }),
      maxRedirects: 0,
      proxy: false,
      decompress: false,
      // The body is read by us, bounded. Without a bound of its own axios hands over the response itself, which ends at
      // once when destroyed.
      responseType: 'stream',
      maxContentLength: -1,
      validateStatus: () => true,
    });
    const { status } = response;
    const good = status >= 200 && status < 300;
    return {
      kind: 'answer',
      status,
      headers: Object.fromEntries(Object.entries(response.headers)),
      body: await readBounded(response.data, good ? bodyWaitMs : undefined, bodyBytesMax),
    };
  } catch (error) {
    return { kind: 'silence', phase: tracked.phase(), error, ...howEnded(signal, deadline) };
  }
};
