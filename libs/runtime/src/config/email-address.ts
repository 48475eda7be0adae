/** RFC 5321, section 4.5.3.1.3: a path of 256 octets, less its angle brackets. */
const ADDRESS_CHARACTERS_MAX = 254;

/** Most recipients of one channel. Longer lists belong into a mailing list. */
export const RECIPIENTS_MAX = 50;

/** The HTML standard's definition of a valid e-mail address, which leaves out RFC 5322's quoted and commented forms on purpose. */
const ADDRESS =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

/** What is wrong with `ada@example.com` or `Ada <ada@example.com>`, or undefined. Line breaks are named first, since they would let text become mail headers. */
export function emailAddressProblem(text: string): string | undefined {
  if (/[\r\n]/.test(text)) return 'an e-mail address must not contain a line break';
  const address = bareAddress(text);
  if (address.length > ADDRESS_CHARACTERS_MAX)
    return `an e-mail address has at most ${ADDRESS_CHARACTERS_MAX} characters`;
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for.
  if (!ADDRESS.test(address) || /[\u0000-\u001f\u007f]/.test(text)) {
    return 'not an e-mail address; write ada@example.com or Ada <ada@example.com>';
  }
  return undefined;
}

/** The addresses of a comma-separated list, trimmed, empty ones dropped. They are not checked. */
export function splitAddresses(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((part) => part !== '');
}

/** Part of a checked address after the @. */
export function addressDomain(text: string): string {
  const address = bareAddress(text);
  return address.slice(address.lastIndexOf('@') + 1);
}

function bareAddress(text: string): string {
  return /^[^<>"]*<([^<>]*)>$/.exec(text)?.[1] ?? text;
}
