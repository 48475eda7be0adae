import type { TestDatabase } from '@tocsin/testing';
import type { Providers } from './providers.ts';
import type { Stage, StartOptions } from './stage.ts';
import type { App } from './worker.ts';

/** What a scenario plays on. */
export interface CrashScene {
  readonly database: TestDatabase;
  /** Doubles of all providers, where the case asks for them; otherwise there is the mail server alone. */
  readonly providers: Providers;
}

/** Plays one story in which a process dies at each of these points in turn; the balance is drawn up afterwards. */
export type Scenario = (stage: Stage, points: readonly string[], scene: CrashScene) => Promise<void>;

/** Crash points, the story that leads there, and what must come of it. */
export interface CrashCase {
  readonly points: readonly string[];
  /** Default: failures are told. */
  readonly scenario?: Scenario;
  /** Added to tocsin.yaml. */
  readonly config?: (scene: { readonly connectionString: string; readonly providers: Providers }) => object;
  /** Added to the environment of every process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Attempts that end as unknown because their process died. Default 0. */
  readonly crashed?: number;
  /** Attempts that were not begun because their process died. Default 0. */
  readonly neverBegun?: number;
  /**
   * Conditions that are told besides the failures; `own`: of Tocsin's own parts, as many as there were, because on a busy
   * machine a part may be missed for a moment. Default 0.
   */
  readonly conditions?: number | 'own';
  /** Mails that the provider must get twice because of it. Default 0. */
  readonly duplicates?: number;
  /** Deliveries that their channel refuses for good. Default 0. */
  readonly rejected?: number;
  /** Failures that are told once more because somebody asked for it. Default 0. */
  readonly byHand?: number;
  /** Failures that Tocsin makes itself, to see them arrive. Default 0. */
  readonly canaries?: number;
  /** Whether the messages go to all providers' doubles and are counted there. Default: mail alone. */
  readonly toProviders?: boolean;
}

const run = { payload: { chain_started_at: '2026-03-02T03:00:00Z' } };

/** Two of one chain, two of their own. */
export const failures = [
  { targetId: 'albums', ...run },
  { targetId: 'songs', ...run },
  { source: 'google', jobType: 'import', targetId: 'a' },
  { source: 'google', jobType: 'import', targetId: 'b' },
];

/** The chain of the first two. */
export const chains = [
  {
    name: 'catalog',
    source: 'apple',
    steps: [{ job_type: 'refresh_catalog', targets: ['albums', 'songs', 'artists'] }, { job_type: 'rebuild_index' }],
  },
];

/** A single pass, which has no time to look twice and believes the table. */
export const once: StartOptions = { args: ['--once'] };

export const crashInTurn = async (
  stage: Stage,
  app: App,
  points: readonly string[],
  options?: StartOptions,
): Promise<void> => {
  for (const point of points) await stage.crash(app, point, options);
};

/** Dies before the commit, and the next process after it. */
export const around = (transaction: string): readonly string[] => [
  `${transaction}.before_commit`,
  `${transaction}.after_commit`,
];
