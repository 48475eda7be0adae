import type { Channel } from './channel.ts';
import { errorCode, errorDetail, safeDetail } from './safe-detail.ts';

/** What Node calls a module that is not there, for `import` and for `require`. */
const missing: ReadonlySet<string> = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']);

/**
 * The same channel, but an attempt that fails because a library is not installed is rejected as `misconfigured`, and a
 * check says so. The libraries of a channel are loaded by its first attempt, before anything is sent; a process that
 * starts without them would else find out by an exception in the middle of a delivery, and try for ever where the next
 * channel could tell.
 */
export const rejectWithoutLibrary = (channel: Channel): Channel => {
  const { check } = channel;
  return {
    ...channel,
    send: async (outgoing, options) => {
      try {
        return await channel.send(outgoing, options);
      } catch (error) {
        return { outcome: 'rejected', reason: 'misconfigured', status: null, detail: missingDetail(channel, error) };
      }
    },
    ...(check === undefined
      ? {}
      : {
          check: async (options) => {
            try {
              return await check(options);
            } catch (error) {
              return { ok: false, detail: missingDetail(channel, error) };
            }
          },
        }),
  };
};

/** @throws the error itself when it is not about a missing library */
const missingDetail = ({ type }: Channel, error: unknown): string => {
  if (!missing.has(errorCode(error) ?? '')) throw error;
  return safeDetail(
    `A library of the ${type} channel is missing; install the packages again with "npm ci". ${errorDetail(error, [])}`,
    [],
  );
};
