/** A memory of limited size: when it is full, what was touched longest ago is forgotten. */
export interface BoundedMap<Key, Value> {
  readonly get: (key: Key) => Value | undefined;
  readonly has: (key: Key) => boolean;
  readonly set: (key: Key, value: Value) => void;
  readonly size: () => number;
}

/** @param entriesMax entries kept, at least 1 */
export const createBoundedMap = <Key, Value>(entriesMax: number): BoundedMap<Key, Value> => {
  // A Map keeps the order of insertion; deleting before setting makes that the order of last touch.
  const entries = new Map<Key, Value>();
  return {
    get: (key) => entries.get(key),
    has: (key) => entries.has(key),
    set: (key, value) => {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size > entriesMax) for (const oldest of entries.keys().take(1)) entries.delete(oldest);
    },
    size: () => entries.size,
  };
};
