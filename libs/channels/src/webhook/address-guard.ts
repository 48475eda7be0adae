import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';

/** One answer of a resolver. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** All addresses of a host name. Rejects with an error that has a `code` such as `ENOTFOUND`. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/** A lookup that answers with the checked addresses and nothing else; why nothing may be sent; or what the resolver threw. */
export type Guarded =
  | { readonly kind: 'allowed'; readonly lookup: LookupFunction }
  | { readonly kind: 'forbidden'; readonly detail: string }
  | { readonly kind: 'unresolved'; readonly error: unknown };

/** The system's resolver, hosts file included. */
export const systemResolve: Resolve = (hostname) => systemLookup(hostname, { all: true });

/**
 * Finds where a URL leads and whether messages may go there: to addresses of the public internet only (OWASP API7:2023).
 * A settings file, or whoever may change it, must not make Tocsin talk to a cloud's metadata service or to a database
 * next to it.
 *
 * The name is resolved once, here, and what was checked is what is connected to: a name that answers differently the
 * second time (DNS rebinding) is never asked a second time. One forbidden address among several is enough to refuse.
 *
 * @param url an absolute URL; WHATWG's parser has turned hexadecimal, octal and decimal forms into plain addresses
 */
export const guardAddress = async (url: URL, resolve: Resolve): Promise<Guarded> => {
  const { rangeOf } = await import('./address-range.ts');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  let addresses: readonly ResolvedAddress[];
  try {
    addresses = family === 0 ? await resolve(host) : [{ address: host, family }];
  } catch (error) {
    return { kind: 'unresolved', error };
  }
  for (const { address } of addresses) {
    const range = rangeOf(address);
    if (range !== null)
      return {
        kind: 'forbidden',
        detail:
          `${host}${family === 0 ? ` leads to ${address}` : ''}, which is no address of the public internet (${range}). ` +
          'Set allow_private: true if messages may go there.',
      };
  }
  return addresses.length === 0
    ? { kind: 'forbidden', detail: `${host} leads to no address.` }
    : { kind: 'allowed', lookup: pinned(addresses) };
};

/** Answers every question with the addresses given, in both forms in which Node asks. */
const pinned =
  (addresses: readonly ResolvedAddress[]): LookupFunction =>
  (_hostname, options, callback) => {
    const [first] = addresses;
    if (options.all === true || first === undefined) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
