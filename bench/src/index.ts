/**
 * The budgets of the product, measured against a real PostgreSQL, the real worker processes and a double of the mail
 * provider. `npm run bench` runs everything and prints each result beside its budget; nothing here is a test.
 */
export type { Bench, BenchOptions, Finding } from './bench.ts';
export { quantile } from './measure/quantile.ts';
