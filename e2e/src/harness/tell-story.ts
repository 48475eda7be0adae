import type { TestDatabase } from '@tocsin/testing';
import { expectBooksInOrder } from './books.ts';
import { withStage } from './stage.ts';
import type { Stage } from './stage.ts';

/** What a user sees from outside, with a configuration a user would write. */
export interface Story {
  readonly title: string;
  /** The text of tocsin.yaml. */
  readonly yaml: string;
  /** Added to the environment of every process. Default: nothing. */
  readonly env?: (connectionString: string) => Readonly<Record<string, string>>;
  readonly play: (stage: Stage) => Promise<void>;
}

/** What stands in a tocsin.yaml, but for the pace, before what a story adds to it. */
export const quickYaml = (text = ''): string => `
version: 1
jobs:
  - { name: research_jobs, table: public.research_jobs, poll: 100ms, reconcile: 1s }
workers: { claim: 2s }
${text}`;

/** Plays a story, after which the books must be in order. */
export const tellStory = ({ yaml, env, play }: Story, database: TestDatabase): Promise<void> =>
  withStage(
    { database, yaml, ...(env === undefined ? {} : { env: env(database.connectionString) }) },
    async (stage) => {
      await play(stage);
      await expectBooksInOrder(stage);
    },
  );
