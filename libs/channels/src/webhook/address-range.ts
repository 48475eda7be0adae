import ipaddr from 'ipaddr.js';

/** The addresses of the public internet in IPv6 as far as they are given out (RFC 4291, section 2.4; IANA). */
const globalUnicast: readonly [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * The name of the special range an address belongs to, `private`; null for an address of the public internet. An IPv4
 * address inside an IPv6 one is judged as what it is. What is no address belongs to `unknown`.
 */
export const rangeOf = (address: string): string | null => {
  if (!ipaddr.isValid(address)) return 'unknown';
  // A mapped address (`::ffff:10.0.0.1`) becomes the one it holds.
  const parsed = ipaddr.process(address);
  const range = parsed.range();
  if (range !== 'unicast') return range;
  return parsed.kind() === 'ipv6' && !parsed.match([...globalUnicast]) ? 'unassigned' : null;
};
