/**
 * Reading job tables that belong to somebody else. One mapping per kind of table, as data; statements built from it;
 * rows of any quality in, signals that the model accepts out. Never writes, but for the two repairs of a janitor.
 */
export type { AdapterMapping, JobField, JobStateName, JobStates } from './adapter-mapping.ts';
export { adapterNames, findMapping } from './find-mapping.ts';
export { inspectTable } from './inspect-table.ts';
export type { TableInspection, TableToInspect } from './inspect-table.ts';
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
export type { FailurePage, OutcomeSort, ScanOptions, ScanPosition } from './scan-failures.ts';
export { skimFailures, skimRowsMax } from './skim-failures.ts';
export type { SkimOptions, SkimPage } from './skim-failures.ts';
export { identityRowsMax, readIdentities } from './read-identities.ts';
export type { IdentityPage, IdentityPosition } from './read-identities.ts';
export { readRunContexts, runsPerReadMax } from './read-run-contexts.ts';
export { findSuccesses, watchedWorkMax } from './find-successes.ts';
export type { FoundSuccess, WatchedWork } from './find-successes.ts';
export { customMappingProblems } from './adapters/custom-mapping.ts';
export {
  idsToAsk,
  noteLook,
  rememberedJobsMax,
  rememberedPerWorkMax,
  vanishingMeansSuccess,
} from './adapters/vanished-work.ts';
export type { PresentJob, RememberedJob, VanishedWorkMemory, WorkLook } from './adapters/vanished-work.ts';
export { lookForVanished } from './adapters/look-for-vanished.ts';
export type { VanishedLook } from './adapters/look-for-vanished.ts';
export { customiseMapping } from './customise-mapping.ts';
export type { JobSnapshot } from './job-snapshot.ts';
export { readRunning, runningRowsMax } from './read-running.ts';
export type { SnapshotPage } from './read-running.ts';
export { readWaiting, waitingRowsMax } from './read-waiting.ts';
export { jobsByIdMax, readJobs } from './read-jobs.ts';
export type { JobType } from './job-type.ts';
export { durationSamplesMax, jobTypesMax, readDurations } from './read-durations.ts';
export type { Durations } from './read-durations.ts';
export { historySuccessesMax, historyWorkMax, readHistory } from './read-history.ts';
export type { PastWork, WorkHistory } from './read-history.ts';
export { readLatestEnds } from './read-latest-ends.ts';
export { chainRunsMax, readRuns } from './read-runs.ts';
export type { ChainRun, ChainRunsQuery } from './read-runs.ts';
export { readActivity } from './read-activity.ts';
export { readFigures } from './read-figures.ts';
export type { Figures } from './read-figures.ts';
export { readOldestWriter } from './read-oldest-writer.ts';
export type { OldestWriter } from './read-oldest-writer.ts';
export { markDead, requeue } from './repair-job.ts';
export type { JobToRepair } from './repair-job.ts';
export { checkpointBytesMax, readCheckpoint } from './read-checkpoint.ts';
export { countStatuses } from './count-statuses.ts';
export type { StatusCount } from './count-statuses.ts';
