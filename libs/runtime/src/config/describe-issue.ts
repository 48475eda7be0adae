import type { z } from 'zod';
import { configJsonSchema } from './config-json-schema.ts';
import { suggestName } from './nearest-name.ts';

/** A path into the file, as zod writes it. */
export type FilePath = readonly PropertyKey[];

/** One rule that is broken, before the value, the line and the file are added. `showsValue`: whether the value helps to understand it. */
export type RuleBreach = { readonly path: FilePath; readonly rule: string; readonly showsValue: boolean };

/** Most problems taken from one file; beyond that the rest is noise. */
export const FILE_PROBLEMS_MAX = 100;

/** What a zod issue says to a person; several for several unknown keys. `input` is the whole value that was parsed. */
export function describeIssue(issue: z.core.$ZodIssue, input: unknown): readonly RuleBreach[] {
  const path = issue.path;
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = knownKeys(path, input);
      return issue.keys.map((key) => ({
        path: [...path, key],
        rule: `unknown key${suggestName(key, known)}`,
        showsValue: false,
      }));
    }
    case 'invalid_value':
      return [
        {
          path,
          rule: oneOf(issue.values.map(String), valueAt(input, path)),
          showsValue: valueAt(input, path) !== undefined,
        },
      ];
    case 'invalid_type': {
      const value = valueAt(input, path);
      if (value === undefined) return [{ path, rule: `is missing; it ${mustBe(issue.expected)}`, showsValue: false }];
      if (issue.message.startsWith('must ')) return [{ path, rule: issue.message, showsValue: true }];
      return [{ path, rule: mustBe(issue.expected) + quoteHint(issue.expected, value), showsValue: true }];
    }
    case 'invalid_union':
      return describeUnion(issue, input);
    case 'invalid_key':
      return issue.issues.map((inner) => ({ path, rule: inner.message, showsValue: false }));
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'too_big':
    case 'too_small':
      return [{ path, rule: issue.message, showsValue: valueAt(input, path) !== undefined }];
  }
}

/** The value at a path, or undefined. */
export function valueAt(input: unknown, path: FilePath): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function describeUnion(issue: z.core.$ZodIssueInvalidUnion, input: unknown): readonly RuleBreach[] {
  const path = issue.path;
  const value = valueAt(input, path);
  if (issue.discriminator !== undefined) {
    // The path leads to the discriminating key itself here.
    const options = ('options' in issue ? issue.options : []) as readonly unknown[];
    return [{ path, rule: oneOf(options.map(String), value), showsValue: value !== undefined }];
  }
  if (value === undefined) return [{ path, rule: `is missing; it ${issue.message}`, showsValue: false }];
  // All other unions are of several forms (a text, a list, a mapping); the branch of the given form holds the useful message.
  const branch = issue.errors.find((errors) => errors.every((inner) => !isOtherForm(inner, value)));
  if (issue.message !== 'Invalid input') return [{ path, rule: issue.message, showsValue: true }];
  if (branch === undefined) {
    return [{ path, rule: `must be text or a list of texts${quoteHint('string', value)}`, showsValue: true }];
  }
  return branch.flatMap((inner) => describeIssue({ ...inner, path: [...path, ...inner.path] }, input));
}

/** Is this about the form as a whole, so that another branch of the union was meant? */
function isOtherForm(issue: z.core.$ZodIssue, value: unknown): boolean {
  if (issue.path.length > 0) return false;
  return issue.code === 'invalid_type' || (issue.code === 'invalid_value' && typeof value === 'object');
}

function oneOf(allowed: readonly string[], given: unknown): string {
  if (given === undefined) return `is missing; it must be ${listed(allowed)}`;
  return `must be ${listed(allowed)}${typeof given === 'string' && allowed.length > 1 ? suggestName(given, allowed).replace(/^; valid:.*/, '') : ''}`;
}

function listed(allowed: readonly string[]): string {
  return allowed.length === 1 ? (allowed[0] ?? '') : `one of ${allowed.join(', ')}`;
}

const FORMS: Readonly<Record<string, string>> = {
  string: 'must be text',
  array: 'must be a list',
  object: 'must be a mapping of keys to values',
  record: 'must be a mapping of names to values',
  boolean: 'must be true or false',
  number: 'must be a number',
  int: 'must be a whole number',
};

function mustBe(expected: string): string {
  return FORMS[expected] ?? `must be of type ${expected}`;
}

function quoteHint(expected: string, value: unknown): string {
  if (expected !== 'string') return '';
  if (value === null) return ' (what begins with # is a comment unless it is in quotes)';
  return typeof value === 'number' || typeof value === 'boolean' ? ' (put it in quotes)' : '';
}

type SchemaNode = {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly const?: unknown;
};

/** The keys allowed at a path, read off the JSON Schema, so that they cannot differ from the rules. */
function knownKeys(path: FilePath, input: unknown): readonly string[] {
  let node: SchemaNode | undefined = configJsonSchema();
  for (const [depth, key] of path.entries()) {
    if (typeof key === 'number') node = node?.items;
    else
      node =
        node?.properties?.[String(key)] ??
        (typeof node?.additionalProperties === 'object' ? node.additionalProperties : undefined);
    const value = valueAt(input, path.slice(0, depth + 1));
    const type = valueAt(value, ['type']);
    // Of "a text, a list or a mapping" the one that is written.
    const form = Array.isArray(value) ? 'items' : 'properties';
    if (node?.anyOf) node = node.anyOf.find((option) => option[form] !== undefined);
    if (node?.oneOf) node = node.oneOf.find((option) => option.properties?.['type']?.const === type);
  }
  return Object.keys(node?.properties ?? {});
}
