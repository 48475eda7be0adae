/**
 * The process that watches job tables: finds failures for good and the successes that open alerts wait for, and sends
 * them to the queue. It decides nothing about alerts.
 */
export { createDetector } from './detector.ts';
export type { Detector, DetectorOptions, PollReport } from './detector.ts';
export type { DetectorQueue, DetectorSession, DetectorStore, WatchedTable } from './detector-ports.ts';
export { openDetector } from './open-detector.ts';
export type { OpenedDetector } from './open-detector.ts';
export { runDetector } from './run-detector.ts';
export type { ScanReport } from './scan-table.ts';
export type { TablePollReport } from './watch-table.ts';
