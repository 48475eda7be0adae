import { BlockList, isIP } from 'node:net';
import { TocsinError } from '@tocsin/runtime';

/** How to reach an SMTP server. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (`smtps`). */
  readonly secure: boolean;
  /** STARTTLS or nothing. */
  readonly requireTls: boolean;
  /** Whether a certificate must be valid for the host. */
  readonly verifyCertificate: boolean;
  readonly auth: { readonly user: string; readonly pass: string } | null;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Reads `smtp://user:password@host:port` (port 587 by default) or `smtps://` (465).
 *
 * With `smtp`, STARTTLS is used whenever the server offers it. It is required as soon as a password would travel to
 * another machine; without a password, a relay that offers no TLS is used as it is, and one that does is not asked for
 * a valid certificate, since refusing it would only mean sending in clear (RFC 7435). `?requireTLS=true` or `false` and
 * `?tls.rejectUnauthorized=false` overrule this; other parameters are ignored.
 *
 * @throws TocsinError `CHANNEL_MISCONFIGURED` when it is no such URL. The message does not show it: it holds a password.
 */
export const parseSmtpUrl = (text: string): SmtpServer => {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') || url.hostname === '')
    throw new TocsinError(
      'CHANNEL_MISCONFIGURED',
      'The URL of the SMTP server is not one. Write smtp://user:password@host:587 or smtps://….',
    );
  const secure = url.protocol === 'smtps:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const auth = url.username === '' ? null : { user: decode(url.username), pass: decode(url.password) };
  const wanted = url.searchParams.get('requireTLS');
  const requireTls = !secure && (wanted === null ? auth !== null && !isLoopback(host) : wanted !== 'false');
  return {
    host,
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTls,
    verifyCertificate: (secure || requireTls) && url.searchParams.get('tls.rejectUnauthorized') !== 'false',
    auth,
  };
};

const isLoopback = (host: string): boolean => {
  const family = isIP(host);
  return family === 0 ? host === 'localhost' : loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
