import http from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';

/** How far a request came. From `connected` on, the provider may have received it. */
export type RequestPhase = 'unconnected' | 'securing' | 'connected';

/** A transport for axios that knows how far its request came. For one request. */
export interface TrackedTransport {
  readonly transport: {
    request(options: RequestOptions, onResponse: (response: IncomingMessage) => void): ClientRequest;
  };
  phase(): RequestPhase;
}

/**
 * Makes a transport that watches its socket. Error codes alone cannot tell a connection that was never made from one
 * that broke after the message had gone out, and this is the difference between trying again and perhaps telling twice.
 *
 * @param lookup finds the addresses of the host instead of the system's resolver; not asked about a literal address
 */
export const trackTransport = (lookup?: LookupFunction): TrackedTransport => {
  let phase: RequestPhase = 'unconnected';
  return {
    phase: () => phase,
    transport: {
      request: (options, onResponse) => {
        const secure = options.protocol === 'https:';
        const request = (secure ? https : http).request(
          lookup === undefined ? options : { ...options, lookup },
          onResponse,
        );
        request.once('socket', (socket) => {
          socket.once('connect', () => {
            phase = secure ? 'securing' : 'connected';
          });
          socket.once('secureConnect', () => {
            phase = 'connected';
          });
        });
        return request;
      },
    },
  };
};
