// oxlint-disable-next-line no-control-regex -- ANSI escape sequences begin with ESC
const ansi = /\u001b\[[0-9;?]{0,20}[A-Za-z]/g;
/** As in the domain's cleanText; repeated here because help and errors must not wait for the domain to be loaded. */
// oxlint-disable-next-line no-control-regex -- removing them is the point
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Text of several lines without anything a terminal would obey. Line feeds stay. */
export const cleanLines = (text: string): string =>
  text.replace(/\r\n?/g, '\n').replace(ansi, '').replace(controls, '').replaceAll('\t', '  ').toWellFormed();

/** The same on one line: whatever a job put into a name or an error, it stays where it is printed. */
export const cleanLine = (text: string): string => cleanLines(text).replace(/\s+/g, ' ').trim();
