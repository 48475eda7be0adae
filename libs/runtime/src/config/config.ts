/** How much an alert matters, from least to most. */
export type Severity = 'info' | 'warning' | 'error' | 'critical';

/** A part of a job's identity that alerts may be grouped by. Spelled as in the job table. */
export type GroupField = 'source' | 'job_type' | 'target_id';

/** Verbosity of the log, from most to least. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** The effective configuration: parsed, checked as a whole, every default applied. Durations are milliseconds (`…Ms`), paths absolute. */
export type Config = {
  readonly version: 1;
  /** The YAML file it was read from; absent when there is none. */
  readonly file?: string;
  /** Tocsin's own database (`DATABASE_URL`). Absent: the caller starts an embedded one, or refuses. */
  readonly databaseUrl?: string;
  /** The jobs' database where it is another one (`JOBS_DATABASE_URL`). Each entry of `jobs` holds the outcome already. */
  readonly jobsDatabaseUrl?: string;
  /** Watched tables, at least one. Default: `public.research_jobs`. */
  readonly jobs: readonly JobTableConfig[];
  /** Jobs that belong together. Default: none. */
  readonly chains: readonly ChainConfig[];
  /**
   * In order; per field the first matching rule that sets it wins. The last rule is always the product's own: it
   * matches everything and sets every field, so a reader needs no defaults of its own.
   */
  readonly rules: readonly RuleConfig[];
  /** Every route that matches is used. At least one matches everything. */
  readonly routes: readonly RouteConfig[];
  /** By name. `outbox` and `console` are always there. */
  readonly channels: Readonly<Record<string, ChannelConfig>>;
  /** By name. Default: none. */
  readonly escalations: Readonly<Record<string, EscalationConfig>>;
  readonly retention: RetentionConfig;
  readonly delivery: DeliveryConfig;
  readonly workers: WorkersConfig;
  /** Link to the user's own admin page (`ADMIN_URL`), with `{source}` `{job_type}` `{target_id}` `{id}` still to be filled in. */
  readonly adminUrl?: string;
  /** Where people reach Tocsin's console (`PUBLIC_URL`), without a trailing slash. */
  readonly publicUrl?: string;
  /** Signs the links in messages (`TOCSIN_SECRET`). */
  readonly secret?: string;
  /** `SLACK_WEBHOOK_URL`, kept for the version that has a Slack channel. */
  readonly slackWebhookUrl?: string;
  /** `LOG_LEVEL`. Default: `info`. */
  readonly logLevel: LogLevel;
  /** Where Tocsin keeps local files: `.tocsin` in the working directory. */
  readonly stateDirectory: string;
  /** What is allowed but probably not meant, one sentence each, to be shown at start. */
  readonly warnings: readonly string[];
};

/** One watched job table. */
export type JobTableConfig = {
  /** Unique; part of every outcome's identity, so renaming it makes old failures new. */
  readonly name: string;
  /** `schema.table`. */
  readonly table: string;
  /** Which mapping reads it. Default: `research_jobs`. */
  readonly adapter: string;
  /** Its own, else `JOBS_DATABASE_URL`, else `DATABASE_URL`. Absent only when none of them is set. */
  readonly databaseUrl?: string;
  /** Pause between two looks. Default: 2 s, at least 100 ms. */
  readonly pollMs: number;
  /** Pause between two full comparisons of terminal rows and recorded outcomes. Default: 1 min. */
  readonly reconcileMs: number;
  /** How far back terminal rows are looked at. Default: 14 d. */
  readonly lookBackMs: number;
  /** Rows per statement. Default: 500. */
  readonly batch: number;
};

/** Jobs of one source that belong together and run in steps. */
export type ChainConfig = {
  /** Unique within its source. */
  readonly name: string;
  readonly source: string;
  /** In the order they run; at least one. */
  readonly steps: readonly ChainStepConfig[];
};

/** One step of a chain: one job type, for some targets. */
export type ChainStepConfig = {
  readonly jobType: string;
  /** The targets that must succeed. Empty: the step runs once, whatever its target. */
  readonly targets: readonly string[];
};

/** Which jobs a rule or route is for. Per field a list of patterns where `*` stands for any text; a field left out matches all. */
export type JobMatch = {
  readonly source?: readonly string[];
  readonly jobType?: readonly string[];
  readonly targetId?: readonly string[];
};

/** Which alerts a route is for. */
export type RouteMatch = JobMatch & {
  readonly severity?: readonly Severity[];
};

/** What a failure of the matching jobs means. A field left out is decided by a later rule. */
export type RuleConfig = {
  readonly match: JobMatch;
  /** Default: `error`. */
  readonly severity?: Severity;
  /** What makes failures one alert. Default: source, job_type and target_id. */
  readonly groupBy?: readonly GroupField[];
  /** True: failures are recorded but open no alert. Default: false. */
  readonly ignore?: boolean;
};

/** Where matching alerts are told. */
export type RouteConfig = {
  readonly name: string;
  /** Empty: every alert. */
  readonly match: RouteMatch;
  /** Names in `Config.channels`; each gets the digest. */
  readonly channels: readonly string[];
  /** Names in `Config.channels`, tried in order when none of `channels` accepted it. May be empty. */
  readonly fallback: readonly string[];
  readonly digest: {
    /** How long alerts are gathered before one digest is sent; 0 sends at once. Default: 15 min. */
    readonly windowMs: number;
  };
  /** A name in `Config.escalations`. Absent: never escalates. */
  readonly escalation?: string;
};

/** One way to tell someone. */
export type ChannelConfig = SendGridChannelConfig | SmtpChannelConfig | OutboxChannelConfig | ConsoleChannelConfig;

/** E-mail through SendGrid's HTTP API. */
export type SendGridChannelConfig = {
  readonly type: 'sendgrid';
  readonly to: readonly string[];
  readonly from: string;
  readonly apiKey: string;
  /** Absent: SendGrid's own. Set it for the EU region or a test double. */
  readonly baseUrl?: string;
};

/** E-mail through an SMTP server. */
export type SmtpChannelConfig = {
  readonly type: 'smtp';
  readonly to: readonly string[];
  readonly from: string;
  /** `smtp://` or `smtps://`, with user and password where the server wants them. */
  readonly url: string;
};

/** Mail written to a local directory, as a mailbox to look into. */
export type OutboxChannelConfig = {
  readonly type: 'outbox';
  /** Absolute. Default: `.tocsin/outbox`. */
  readonly directory: string;
};

/** Text on the process's own output. */
export type ConsoleChannelConfig = {
  readonly type: 'console';
};

/** Who is told next when nobody acknowledges. */
export type EscalationConfig = {
  /** Counted from the moment the first channel accepted the digest. */
  readonly afterMs: number;
  /** Names in `Config.channels`. */
  readonly channels: readonly string[];
};

/** How long records are kept. */
export type RetentionConfig = {
  /** Default: 400 d. */
  readonly outcomesMs: number;
  /** Default: 90 d. */
  readonly deliveriesMs: number;
};

/** Patience with providers. */
export type DeliveryConfig = {
  /** One attempt may take this long; then its outcome is unknown. Default: 30 s. */
  readonly attemptTimeoutMs: number;
  /** After an attempt of unknown outcome the same message goes out again this much later. Default: 1 min. */
  readonly unknownRetryMs: number;
};

/** Patience with workers. */
export type WorkersConfig = {
  /** A worker that is silent for so long loses its queue jobs to another. Whole seconds, at least 1. Default: 10. */
  readonly claimSeconds: number;
};
