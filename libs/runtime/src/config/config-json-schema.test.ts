import { expect, test } from 'vitest';
import { configJsonSchema } from './config-json-schema.ts';

type Node = { readonly [key: string]: unknown };

/** Every property in the schema, by its path. */
function propertiesOf(node: unknown, path = ''): readonly (readonly [string, Node])[] {
  if (typeof node !== 'object' || node === null) return [];
  if (Array.isArray(node)) return node.flatMap((item, index) => propertiesOf(item, `${path}[${index}]`));
  return Object.entries(node).flatMap(([key, value]) =>
    key === 'properties'
      ? Object.entries(value as Node).flatMap(([name, property]) => [
          [`${path}.${name}`, property as Node] as const,
          ...propertiesOf(property, `${path}.${name}`),
        ])
      : propertiesOf(value, path),
  );
}

const properties = new Map(propertiesOf(configJsonSchema()));

test('describes every key', () => {
  expect(properties.size).toBeGreaterThan(45);
  expect(
    [...properties].filter(([, property]) => typeof property['description'] !== 'string').map(([path]) => path),
  ).toEqual([]);
});

test('describes the file as people write it, not as it is parsed', () => {
  expect(properties.get('.jobs.poll')).toMatchObject({
    default: '2s',
    anyOf: [{ type: 'string', pattern: expect.any(String) }, { const: 0 }],
  });
  expect(properties.get('.rules.match.source')).toMatchObject({
    anyOf: [{ type: 'string' }, { type: 'array', minItems: 1 }],
  });
  expect(configJsonSchema()['required']).toEqual(['version']);
});

test('allows no unknown key, so that an editor marks a mistyped one', () => {
  const open = [...properties].filter(
    ([, { properties: inner, additionalProperties }]) => inner !== undefined && additionalProperties !== false,
  );
  expect(open.map(([path]) => path)).toEqual([]);
});
