import { z } from 'zod';

/** Longest JSON Schema, in characters. */
const SCHEMA_CHARACTERS_MAX = 20_000;

/**
 * What is wrong with a JSON Schema from the file, and the cure, or undefined. It is read as zod reads it
 * (https://zod.dev/json-schema), which knows neither `not` nor `if` nor references to other documents. A word that JSON
 * Schema does not have is refused as well: a mistyped `requird` would let everything pass.
 */
export function jsonSchemaProblem(schema: Readonly<Record<string, unknown>>): string | undefined {
  const written = JSON.stringify(schema);
  if (written.length > SCHEMA_CHARACTERS_MAX) return `must have at most ${SCHEMA_CHARACTERS_MAX} characters`;
  const fault = faultOf(schema, 0);
  if (fault !== undefined) return `is no usable JSON Schema: ${fault}`;
  try {
    z.fromJSONSchema(schema);
    return undefined;
  } catch (error) {
    return `cannot be used as a JSON Schema (${error instanceof Error ? error.message : String(error)}); simplify it`;
  }
}

/** Deepest nesting that is looked into; the file itself may not be nested deeper. */
const DEPTH_MAX = 20;

type Form = 'any' | 'text' | 'number' | 'list' | 'schema' | 'schemas' | 'schema map' | 'schema or flag';

/** The words of draft 2020-12 (https://json-schema.org/draft/2020-12) that mean something here, and what each holds. */
const WORDS: Readonly<Record<string, Form>> = {
  $schema: 'text',
  $id: 'text',
  $ref: 'text',
  $comment: 'text',
  $defs: 'schema map',
  title: 'text',
  description: 'text',
  default: 'any',
  examples: 'list',
  type: 'any',
  enum: 'list',
  const: 'any',
  anyOf: 'schemas',
  oneOf: 'schemas',
  allOf: 'schemas',
  properties: 'schema map',
  required: 'list',
  additionalProperties: 'schema or flag',
  patternProperties: 'schema map',
  propertyNames: 'schema',
  minProperties: 'number',
  maxProperties: 'number',
  items: 'schema or flag',
  prefixItems: 'schemas',
  minItems: 'number',
  maxItems: 'number',
  uniqueItems: 'any',
  minLength: 'number',
  maxLength: 'number',
  pattern: 'text',
  format: 'text',
  minimum: 'number',
  maximum: 'number',
  exclusiveMinimum: 'number',
  exclusiveMaximum: 'number',
  multipleOf: 'number',
};

/** Words that zod heeds only beside `type`, and the type they go with. */
const TYPE_OF_WORD: Readonly<Record<string, string>> = {
  properties: 'object',
  required: 'object',
  additionalProperties: 'object',
  patternProperties: 'object',
  propertyNames: 'object',
  minProperties: 'object',
  maxProperties: 'object',
  items: 'array',
  prefixItems: 'array',
  minItems: 'array',
  maxItems: 'array',
  minLength: 'string',
  maxLength: 'string',
  pattern: 'string',
  format: 'string',
  minimum: 'number',
  maximum: 'number',
  exclusiveMinimum: 'number',
  exclusiveMaximum: 'number',
  multipleOf: 'number',
};

/** The first thing that is wrong, in words. */
function faultOf(schema: unknown, depth: number): string | undefined {
  if (typeof schema === 'boolean') return undefined;
  if (depth > DEPTH_MAX) return `it is nested deeper than ${DEPTH_MAX} levels`;
  if (!isMapping(schema)) return `${JSON.stringify(schema)} stands where a schema belongs`;
  for (const [word, value] of Object.entries(schema)) {
    const form = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
    if (form === undefined) return `the word ${word} means nothing in it`;
    if (!hasForm(form, value)) return `${word} holds ${JSON.stringify(value)}, which is no ${form}`;
    const type = TYPE_OF_WORD[word];
    if (type !== undefined && schema['type'] === undefined) {
      return `${word} checks nothing without a type; add type: ${type}`;
    }
    for (const inner of innerSchemas(form, value)) {
      const found = faultOf(inner, depth + 1);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function hasForm(form: Form, value: unknown): boolean {
  switch (form) {
    case 'any':
      return true;
    case 'text':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number';
    case 'list':
    case 'schemas':
      return Array.isArray(value);
    case 'schema':
    case 'schema map':
      return isMapping(value);
    case 'schema or flag':
      return typeof value === 'boolean' || isMapping(value);
  }
}

function innerSchemas(form: Form, value: unknown): readonly unknown[] {
  if (form === 'schema' || form === 'schema or flag') return [value];
  if (form === 'schemas') return value as readonly unknown[];
  return form === 'schema map' ? Object.values(value as Readonly<Record<string, unknown>>) : [];
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
