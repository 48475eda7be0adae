import { durationLiteral } from '@tocsin/runtime';
import { cleanLine } from './clean-line.ts';

/** Values nested deeper than this do not occur; the bound keeps a mistake from running for ever. */
const depthMax = 12;

/**
 * A value as indented lines, one fact per line. Keys that end in `Ms` lose it and show a duration (`windowMs: 900000`
 * becomes `window: 15m`).
 */
export const outlineLines = (value: unknown, indent = '', depth = 0): readonly string[] => {
  if (depth > depthMax) return [`${indent}…`];
  if (Array.isArray(value))
    return value.flatMap((item: unknown) => {
      if (!isNested(item)) return [`${indent}- ${scalar(item)}`];
      const [first = '', ...rest] = outlineLines(item, `${indent}  `, depth + 1);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  return Object.entries(value as Readonly<Record<string, unknown>>).flatMap(([key, member]) => {
    if (key.endsWith('Ms') && typeof member === 'number')
      return [`${indent}${key.slice(0, -2)}: ${durationLiteral(member)}`];
    if (Array.isArray(member) && member.every((item) => !isNested(item)))
      return [`${indent}${cleanLine(key)}: [${member.map(scalar).join(', ')}]`];
    if (!isNested(member)) return [`${indent}${cleanLine(key)}: ${scalar(member)}`];
    const lines = outlineLines(member, `${indent}  `, depth + 1);
    return lines.length === 0
      ? [`${indent}${cleanLine(key)}: ${key === 'match' ? 'everything' : 'none'}`]
      : [`${indent}${cleanLine(key)}:`, ...lines];
  });
};

const isNested = (value: unknown): boolean => typeof value === 'object' && value !== null;

const scalar = (value: unknown): string => cleanLine(String(value));
