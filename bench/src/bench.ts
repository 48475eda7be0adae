import type { Lab } from './world/lab.ts';

/** What the command line asks for. */
export interface BenchOptions {
  /** Failing rows of a storm. Default 20,000. */
  readonly rows: number;
  /** How often a storm is repeated; medians are printed. Default 3. */
  readonly runs: number;
  /** Whether the scan is measured at ten million rows too, which takes minutes. */
  readonly tenMillion: boolean;
}

/** One measured number, beside what was promised. */
export interface Finding {
  readonly what: string;
  readonly result: string;
  /** What was promised, in words; absent for numbers that only explain others. */
  readonly budget?: string;
  /** Whether the promise was kept; absent without a budget. */
  readonly kept?: boolean;
}

/** One group of measurements that can be asked for by name. */
export interface Bench {
  readonly name: string;
  /** What is measured and how, in one line. */
  readonly summary: string;
  readonly run: (lab: Lab, options: BenchOptions) => Promise<readonly Finding[]>;
}
