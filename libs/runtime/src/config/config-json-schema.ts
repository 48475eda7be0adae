import { z } from 'zod';
import { configSchema } from './config-schema.ts';

/** The JSON Schema (draft 2020-12) of `tocsin.yaml` as people write it, for editors and `tocsin config schema`. Rules that need two places of the file are not in it. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return { title: 'tocsin.yaml', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}
