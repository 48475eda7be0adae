import { noName } from './job-name.ts';

/** Jobs of one sort: what they are called and whose they are. */
export interface JobType {
  readonly source: string;
  readonly jobType: string;
}

/** A job type as the key of a map. */
export const typeKey = ({ source, jobType }: JobType): string => `${source}\n${jobType}`;

/** A name as the table has it. */
export const rawName = (name: string): string => (name === noName ? '' : name);
