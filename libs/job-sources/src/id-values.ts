import type { ValueType } from './column-types.ts';

const ranges: Readonly<Record<string, bigint>> = {
  smallint: 2n ** 15n,
  integer: 2n ** 31n,
  bigint: 2n ** 63n,
};
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Those ids that a column of that type can hold; one other would fail the whole statement. */
export const idValues = (ids: readonly string[], { type }: ValueType): readonly string[] =>
  ids.filter((id) => {
    if (type === 'uuid') return uuidPattern.test(id);
    const range = ranges[type];
    if (range === undefined) return !id.includes('\0');
    if (!/^-?\d{1,19}$/.test(id)) return false;
    const value = BigInt(id);
    return value >= -range && value < range;
  });
