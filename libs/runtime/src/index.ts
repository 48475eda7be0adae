/**
 * What every process of the product needs before it can do its work, and nothing that knows about alerts: errors,
 * configuration, logging, durations, start and stop, and the database connection.
 */
export { ConfigError, InvariantError, TocsinError } from './errors.ts';
export type { ConfigProblem } from './errors.ts';
export { crashPoint } from './crash-point.ts';
export { createPool } from './pool.ts';
export type { Pool, PooledClient, PoolOptions, Queryable, QueryOutcome, Transaction } from './pool.ts';
export { parseInstant, postgresTypes } from './postgres-values.ts';
export { inTransaction, transactionAttemptsMax, withRetries } from './transaction.ts';
export type { Isolation } from './transaction.ts';
export {
  databaseErrorKind,
  isConnectionError,
  isTransientDatabaseError,
  isUniqueViolation,
} from './postgres-errors.ts';
export type { DatabaseErrorKind } from './postgres-errors.ts';
export { describeDatabaseError, toDatabaseError } from './describe-database-error.ts';
export { databaseNow } from './database-clock.ts';
export { migrate } from './migrate.ts';
export { assertSchemaUnderstood, migrationStatus } from './migration-status.ts';
export type { MigrationStatus } from './migration-status.ts';
export { findEmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
export type { EmbeddedPostgres, EmbeddedPostgresOptions } from './embedded-postgres.ts';
export { nextDue, previousDue } from './cron.ts';
export { hours, windowText } from './time-windows.ts';
export type { Hours, TimeWindow } from './time-windows.ts';
export { listen } from './listen.ts';
export type { Listener, ListenOptions } from './listen.ts';
export { durationLiteral, formatDuration, parseDuration } from './duration.ts';
export { createLogger, serializeError } from './log.ts';
export type { LogDestination, Logger, LoggerOptions, LogMethod } from './log.ts';
export { keepMemorySmall } from './keep-memory-small.ts';
export { runUntilStopped } from './lifecycle.ts';
export type { RunOptions, Stoppable } from './lifecycle.ts';
export { runMain } from './run-main.ts';
export type { MainOptions } from './run-main.ts';
export { loadConfig } from './config/load-config.ts';
export type { LoadConfigOptions } from './config/load-config.ts';
export { configJsonSchema } from './config/config-json-schema.ts';
export { configSecrets, describeConfig } from './config/describe-config.ts';
export { maskUrl } from './config/mask-url.ts';
export { settingsFingerprint } from './config/settings-fingerprint.ts';
export type {
  ChainConfig,
  ChainStepConfig,
  ChannelConfig,
  ColumnChoice,
  Config,
  ConsoleChannelConfig,
  DeliveryConfig,
  EscalationConfig,
  FlappingConfig,
  GroupField,
  JobFieldName,
  JobMatch,
  JobStatesConfig,
  JobTableConfig,
  KindName,
  LogLevel,
  OutboxChannelConfig,
  PagerDutyChannelConfig,
  RetentionConfig,
  RouteConfig,
  RouteMatch,
  RuleConfig,
  RuleMatch,
  ScheduleConfig,
  SelfWatchConfig,
  SendGridChannelConfig,
  SentryChannelConfig,
  Severity,
  SilenceConfig,
  SlackBotChannelConfig,
  SlackWebhookChannelConfig,
  SmtpChannelConfig,
  StormConfig,
  TimeWindowConfig,
  WebhookChannelConfig,
  WorkersConfig,
} from './config/config.ts';
export { createMetrics } from './http/metrics.ts';
export type { CounterMetric, GaugeMetric, HistogramMetric, Labels, Metrics } from './http/metrics.ts';
export { startWorkerServer } from './http/worker-server.ts';
export type { HealthCheck, Hook, HookRequest, WorkerServer } from './http/worker-server.ts';
