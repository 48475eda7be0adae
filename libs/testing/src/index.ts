/**
 * What tests need: a database per test file on one server per run, rows to begin with, a server that may be restarted.
 * Imported by tests, e2e and bench only. The server itself is started by `global-setup.ts`, named in vitest.config.ts.
 */
export { createTestDatabase } from './test-database.ts';
export type { TestDatabase, TestDatabaseOptions } from './test-database.ts';
export { startRestartableServer } from './restartable-server.ts';
export type { RestartableServer } from './restartable-server.ts';
export { insertFailedResearchJob, insertResearchJob, insertResearchJobs, updateResearchJob } from './research-jobs.ts';
export type { ResearchJobFields } from './research-jobs.ts';
export { startStandby } from './start-standby.ts';
export { certificatePath, startTlsServer } from './start-tls-server.ts';
export type { TlsServer } from './start-tls-server.ts';
export { createTestRole } from './test-roles.ts';
export type { TestRole } from './test-roles.ts';
export { dumpSchema } from './dump-schema.ts';
export { startSendGridDouble } from './doubles/sendgrid-double.ts';
export type { SendGridBehaviour, SendGridDouble, SendGridMail, SendGridRequest } from './doubles/sendgrid-double.ts';
export { startSmtpDouble } from './doubles/smtp-double.ts';
export type { SmtpBehaviour, SmtpDouble, SmtpDoubleOptions, SmtpMail } from './doubles/smtp-double.ts';
