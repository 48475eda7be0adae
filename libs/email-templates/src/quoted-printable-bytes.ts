import { Buffer } from 'node:buffer';

/** Fewest characters that a mailer puts on a line that it has to break; RFC 2045 allows 76, and some break at a blank before. */
const brokenLineCharactersMin = 51;
const lineCharactersMax = 76;
/** `=` and a line end. */
const softBreakBytes = 3;

/**
 * How large a text is in a mail, in bytes, at most: encoded as quoted-printable (RFC 2045, section 6.7), where a byte
 * outside ASCII takes three, and so does each `=`, of which HTML has many. Line ends count as CRLF.
 */
export const quotedPrintableBytes = (text: string): number => {
  let bytes = 0;
  let line = 0;
  let before = 0;
  for (const byte of Buffer.from(text)) {
    if (byte === lineFeed) {
      // A blank at the end of a line has to be encoded.
      bytes += lineBytes(before === blank || before === tab ? line + 2 : line) + 2;
      line = 0;
    } else line += isLiteral(byte) ? 1 : 3;
    before = byte;
  }
  return bytes + lineBytes(before === blank || before === tab ? line + 2 : line);
};

const lineFeed = 0x0a;
const tab = 0x09;
const blank = 0x20;
const equalsSign = 0x3d;

const isLiteral = (byte: number): boolean => (byte >= blank && byte <= 0x7e && byte !== equalsSign) || byte === tab;

const lineBytes = (characters: number): number =>
  characters <= lineCharactersMax
    ? characters
    : characters + softBreakBytes * Math.ceil(characters / brokenLineCharactersMin);
