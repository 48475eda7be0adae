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
export { startHalfOpenProxy } from './half-open-proxy.ts';
export type { HalfOpenProxy, Lost } from './half-open-proxy.ts';
export { startStandby } from './start-standby.ts';
export { certificatePath, startTlsServer } from './start-tls-server.ts';
export type { TlsServer } from './start-tls-server.ts';
export { createTestRole } from './test-roles.ts';
export type { TestRole } from './test-roles.ts';
export { dumpSchema } from './dump-schema.ts';
export { startHttpProviderDouble } from './doubles/http-provider-double.ts';
export type {
  HttpBehaviour,
  HttpProvider,
  HttpProviderDouble,
  HttpProviderDoubleOptions,
  ProviderAnswer,
  ProviderRequest,
  SeenRequest,
} from './doubles/http-provider-double.ts';
export { startSendGridDouble } from './doubles/sendgrid-double.ts';
export type { SendGridBehaviour, SendGridDouble, SendGridMail, SendGridRequest } from './doubles/sendgrid-double.ts';
export { startSlackDouble } from './doubles/slack-double.ts';
export type { SlackDouble, SlackDoubleMessage, SlackDoubleOptions, SlackDoubleUpdate } from './doubles/slack-double.ts';
export { markedUpTexts } from './doubles/check-slack-message.ts';
export { startSmtpDouble } from './doubles/smtp-double.ts';
export type { SmtpBehaviour, SmtpDouble, SmtpDoubleOptions, SmtpMail } from './doubles/smtp-double.ts';
export { startPagerDutyDouble } from './doubles/pagerduty-double.ts';
export type { PagerDutyDouble, PagerDutyTaken } from './doubles/pagerduty-double.ts';
export { startSentryDouble } from './doubles/sentry-double.ts';
export type { SentryDouble, SentryTaken } from './doubles/sentry-double.ts';
export { startWebhookDouble } from './doubles/webhook-double.ts';
export type { WebhookDouble, WebhookTaken } from './doubles/webhook-double.ts';
