import type { AdapterMapping } from './adapter-mapping.ts';
import { researchJobsMapping } from './research-jobs-mapping.ts';

const mappings: readonly AdapterMapping[] = [researchJobsMapping];

/** Names that `jobs[].adapter` may have. */
export const adapterNames: readonly string[] = mappings.map((mapping) => mapping.adapter);

/** The mapping of that name; undefined when there is none. */
export const findMapping = (adapter: string): AdapterMapping | undefined =>
  mappings.find((mapping) => mapping.adapter === adapter);
