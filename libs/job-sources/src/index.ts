/**
 * Reading job tables that belong to somebody else. One mapping per kind of table, as data; statements built from it;
 * rows of any quality in, signals that the model accepts out. Never writes.
 */
export type { AdapterMapping, JobField, JobStates } from './adapter-mapping.ts';
export { adapterNames, findMapping } from './find-mapping.ts';
export { inspectTable } from './inspect-table.ts';
export type { TableInspection } from './inspect-table.ts';
export type { MissingIndex } from './missing-indexes.ts';
export type { JobSource } from './job-source.ts';
export { parseTableName, quoteIdentifier } from './table-name.ts';
export type { TableName } from './table-name.ts';
export { outcomeId } from './outcome-id.ts';
export type { OutcomeIdentity } from './outcome-id.ts';
export { advanceCursor, blindOverlapMs, heldByWriterMaxMs, overlapDefaultMs } from './cursor.ts';
export { readHorizon } from './read-horizon.ts';
export type { Horizon } from './cursor.ts';
export { readFailures, scanFailures, scanRowsMax } from './scan-failures.ts';
export type { FailurePage, ScanOptions, ScanPosition } from './scan-failures.ts';
export { skimFailures, skimRowsMax } from './skim-failures.ts';
export type { SkimOptions, SkimPage } from './skim-failures.ts';
export { identityRowsMax, readIdentities } from './read-identities.ts';
export type { IdentityPage, IdentityPosition } from './read-identities.ts';
export { readRunContexts, runsPerReadMax } from './read-run-contexts.ts';
export { findSuccesses, watchedWorkMax } from './find-successes.ts';
export type { FoundSuccess, WatchedWork } from './find-successes.ts';
export { countStatuses } from './count-statuses.ts';
export type { StatusCount } from './count-statuses.ts';
