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
  /** Work that must succeed regularly. Default: none. */
  readonly schedules: readonly ScheduleConfig[];
  /**
   * In order; per field the first matching rule that sets it wins. The last rule is always the product's own: it
   * matches everything and sets `groupBy` and `ignore`. The other fields have no default here: it depends on the kind of
   * failure (severity) or is part of the domain model (limits).
   */
  readonly rules: readonly RuleConfig[];
  /** Every route that matches is used. At least one matches everything. */
  readonly routes: readonly RouteConfig[];
  /** By name. `outbox` and `console` are always there. */
  readonly channels: Readonly<Record<string, ChannelConfig>>;
  /** By name. Default: none. */
  readonly escalations: Readonly<Record<string, EscalationConfig>>;
  /** Default: none. */
  readonly silences: readonly SilenceConfig[];
  /** Absent (`off`): many alerts at once are told one by one. */
  readonly storm?: StormConfig;
  /** Absent (`off`): every recovery is told at once. */
  readonly flapping?: FlappingConfig;
  readonly selfWatch: SelfWatchConfig;
  readonly retention: RetentionConfig;
  readonly delivery: DeliveryConfig;
  readonly workers: WorkersConfig;
  /** Link to the user's own admin page (`ADMIN_URL`), with `{source}` `{job_type}` `{target_id}` `{id}` still to be filled in. */
  readonly adminUrl?: string;
  /** Where people reach Tocsin's console (`PUBLIC_URL`), without a trailing slash. */
  readonly publicUrl?: string;
  /** Signs the links in messages (`TOCSIN_SECRET`). */
  readonly secret?: string;
  /** Verifies SendGrid's Event Webhook (`SENDGRID_WEBHOOK_KEY`): base64 of a public key. Absent: `/hooks/sendgrid` refuses everything. */
  readonly sendgridWebhookKey?: string;
  /** Verifies clicks on Slack's buttons (`SLACK_SIGNING_SECRET`). Absent: no buttons, `/hooks/slack` refuses everything. */
  readonly slackSigningSecret?: string;
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
  /**
   * Where the table differs from the adapter's preset: by field, the column that holds it, a path into a JSON column
   * (`payload.account_id`), or a constant (`{ value: documents }`). For `adapter: custom` every field it has.
   */
  readonly columns: Readonly<Partial<Record<JobFieldName, ColumnChoice>>>;
  /** Further fields shown to channels that want them (Sentry): name, and the column or JSON path that holds it. At most 20. */
  readonly details: Readonly<Record<string, ColumnChoice>>;
  /** For `adapter: custom`, or where an installation has other states: values of the status column by meaning. */
  readonly states?: JobStatesConfig;
  /** How soon finished rows are deleted by others. Default: what the adapter knows of its library. */
  readonly retentionMs?: number;
  /**
   * Connection of the janitor, which may update the table: its own, else `JANITOR_DATABASE_URL` where the table has no
   * `databaseUrl` of its own. Absent: there is no janitor for it, also when no rule asks for one.
   */
  readonly janitorDatabaseUrl?: string;
};

/** Fields of a job that a mapping may name, as written in the file. */
export type JobFieldName =
  | 'id'
  | 'source'
  | 'job_type'
  | 'target_id'
  | 'status'
  | 'attempts'
  | 'max_attempts'
  | 'payload'
  | 'error'
  | 'run'
  | 'due_at'
  | 'started_at'
  | 'heartbeat_at'
  | 'finished_at'
  | 'created_at'
  | 'updated_at'
  | 'failed_count'
  | 'total_count'
  | 'stage'
  | 'progress'
  | 'checkpoint';

/** Where a field is: a column, a path into a JSON column, or the same text for every row. */
export type ColumnChoice = { readonly column: string; readonly path: readonly string[] } | { readonly value: string };

/** Values of the status column by what they mean. */
export type JobStatesConfig = {
  readonly waiting: readonly string[];
  readonly running: readonly string[];
  /** Failed; for good when the attempts are used up, or when the table counts none. */
  readonly failed: readonly string[];
  readonly dead: readonly string[];
  readonly succeeded: readonly string[];
  readonly canceled: readonly string[];
};

/** Work that must succeed regularly: a chain, or a job type with one target or whatever target. */
export type ScheduleConfig = {
  readonly name: string;
  /** Name of its watched table. Default: the first. */
  readonly table: string;
  readonly source: string;
  /** Name of a chain of that source. Exactly one of `chain` and `jobType` is set. */
  readonly chain?: string;
  readonly jobType?: string;
  readonly targetId?: string;
  /** Five fields, or six with the second first; see `cronProblem`. Exactly one of `cron` and `everyMs` is set. */
  readonly cron?: string;
  /** IANA name. Default: `UTC`. */
  readonly timeZone: string;
  /** Longest time without a success. */
  readonly everyMs?: number;
  /** How late it may be. Default: 30 min. */
  readonly graceMs: number;
};

/** Jobs of one source that belong together and run in steps. */
export type ChainConfig = {
  /** Unique within its source. */
  readonly name: string;
  readonly source: string;
  /** In the order they run; at least one. */
  readonly steps: readonly ChainStepConfig[];
  /** How long a run may take from its start. Absent: for ever. */
  readonly deadlineMs?: number;
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
  readonly kind?: readonly KindName[];
  /** Adapters of watched tables. */
  readonly adapter?: readonly string[];
  /** The alert opens in one of these hours. */
  readonly during?: readonly TimeWindowConfig[];
};

/** Hours of a day in a time zone. Where `toMinute` is not after `fromMinute` they end on the next day. */
export type TimeWindowConfig = {
  /** 1 is Monday, 7 Sunday: days on which they begin. Empty: every day. */
  readonly days: readonly number[];
  /** Minutes after midnight by the clocks of the zone. */
  readonly fromMinute: number;
  readonly toMinute: number;
  readonly timeZone: string;
};

/** What can be wrong with a job; see the glossary. */
export type KindName =
  'failed' | 'dead' | 'partial' | 'stuck' | 'stalled' | 'overdue' | 'deadline' | 'zero_throughput' | 'unhealthy';

/** Which failures a rule is for. */
export type RuleMatch = JobMatch & {
  readonly kind?: readonly KindName[];
};

/** What a failure of the matching jobs means. A field left out is decided by a later rule. */
export type RuleConfig = {
  readonly match: RuleMatch;
  /** Default: `warning` for the kinds partial and stalled, `error` for the others. */
  readonly severity?: Severity;
  /** What makes failures one alert. Default: source, job_type and target_id. */
  readonly groupBy?: readonly GroupField[];
  /** True: failures are recorded but open no alert. Default: false. */
  readonly ignore?: boolean;
  /** From when on failures are told. Default: the first one. */
  readonly threshold?:
    | { readonly kind: 'in-a-row'; readonly failures: number }
    | { readonly kind: 'count'; readonly failures: number; readonly withinMs: number }
    | { readonly kind: 'ratio'; readonly over: number; readonly withinMs: number; readonly atLeast: number };
  /** How long a running job may be silent. Default: `auto` with factor 3 and floor 15 min. */
  readonly stuckAfter?:
    | { readonly mode: 'fixed'; readonly heartbeatMs: number | null; readonly updateMs: number | null }
    | { readonly mode: 'auto'; readonly factor: number; readonly floorMs: number }
    | { readonly mode: 'off' };
  /** What the janitor does about a stuck job. Default: alert. */
  readonly onStuck?:
    | { readonly action: 'alert' }
    | { readonly action: 'mark_dead' }
    | {
        readonly action: 'requeue';
        /** Default: 3. */
        readonly restartsMax: number;
        /** Default: 1 min. */
        readonly backoffMs: number;
        /** JSON Schema; null: any checkpoint that is there. */
        readonly checkpointSchema: Readonly<Record<string, unknown>> | null;
      };
  /** How long a job may wait after its time. null: for ever. Default: 1 h. */
  readonly stalledAfterMs?: number | null;
  /** How long jobs may run without any of them ending. null: for ever, the default. */
  readonly noCompletionAfterMs?: number | null;
  /** What part of a succeeded job may have failed. Default: a share of 1 %. */
  readonly partial?: { readonly failed: number | null; readonly ratio: number | null } | 'off';
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
    /** The first news of an alert goes out at once. Default: false. */
    readonly firstAtOnce: boolean;
    /** Most items one message shows. Default: 100. */
    readonly itemsMax: number;
    /** When "all quiet, N open" is told although nothing happened. Absent: never. */
    readonly allQuiet?: { readonly cron: string; readonly timeZone: string };
  };
  /** Digests that come due in these hours wait until they are over. Default: none. */
  readonly quietHours: readonly TimeWindowConfig[];
  /** Severities that are told at once in quiet hours. Default: critical. */
  readonly breakThrough: readonly Severity[];
  /** A name in `Config.escalations`. Absent: never escalates. */
  readonly escalation?: string;
};

/** One way to tell someone. */
export type ChannelConfig = (
  | SendGridChannelConfig
  | SmtpChannelConfig
  | SlackWebhookChannelConfig
  | SlackBotChannelConfig
  | WebhookChannelConfig
  | PagerDutyChannelConfig
  | SentryChannelConfig
  | OutboxChannelConfig
  | ConsoleChannelConfig
) & {
  /** Messages the channel may send: `burst` at once, one more every `everyMs`; shared by all notifiers. Default: Slack 1 s, burst 1; others none. */
  readonly rateLimit?: { readonly everyMs: number; readonly burst: number };
};

/** Slack by an incoming webhook: new messages only. */
export type SlackWebhookChannelConfig = {
  readonly type: 'slack_webhook';
  readonly url: string;
  readonly signingSecret?: string;
};

/** Slack by an app's bot: one living message per conversation. */
export type SlackBotChannelConfig = {
  readonly type: 'slack_bot';
  readonly token: string;
  readonly channel: string;
  readonly signingSecret?: string;
  /** Absent: Slack's own. */
  readonly baseUrl?: string;
};

/** An HTTP endpoint that is told by signed requests. */
export type WebhookChannelConfig = {
  readonly type: 'webhook';
  readonly url: string;
  /** `whsec_…`; several separated by blanks while keys are rotated. */
  readonly secret: string;
  /** Default: false. */
  readonly allowPrivate?: boolean;
};

/** PagerDuty's Events API v2. */
export type PagerDutyChannelConfig = {
  readonly type: 'pagerduty';
  readonly routingKey: string;
  readonly baseUrl?: string;
};

/** Sentry by a DSN. */
export type SentryChannelConfig = {
  readonly type: 'sentry';
  readonly dsn: string;
  readonly environment?: string;
  readonly fingerprints?: readonly {
    readonly match: {
      readonly source?: readonly string[];
      readonly jobType?: readonly string[];
      readonly kind?: readonly string[];
    };
    readonly fingerprint: readonly string[];
  }[];
};

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
  /** In the order of their times, which rise; at least one. */
  readonly levels: readonly {
    /** Counted from the moment the first channel accepted the digest. */
    readonly afterMs: number;
    /** Names in `Config.channels`. */
    readonly channels: readonly string[];
    /** Told only while the alert has one of these severities. Absent: whatever it has. */
    readonly severities?: readonly Severity[];
  }[];
  /** After the last level everybody of every level is told again so often. Absent: never. */
  readonly repeat?: { readonly everyMs: number; readonly times: number };
};

/** A silence in the file, `silences`. */
export type SilenceConfig = {
  /** Unique. */
  readonly name: string;
  readonly match: JobMatch & { readonly severity?: readonly Severity[]; readonly kind?: readonly KindName[] };
  /** ISO-8601 in UTC. Absent: since the notifier first saw it. */
  readonly from?: string;
  /** ISO-8601 in UTC. */
  readonly until: string;
  readonly reason?: string;
};

/** When many alerts at once are one incident. */
export type StormConfig = {
  /** Default: 50. */
  readonly keys: number;
  /** Default: 5 min. */
  readonly withinMs: number;
  /** 0 to 1; absent: not judged. Default: 0.5. */
  readonly share?: number;
  /** Default: 15 min. */
  readonly updateMs: number;
};

/** When a key that opens and resolves again and again is told once only. */
export type FlappingConfig = {
  /** Default: 4. */
  readonly times: number;
  /** Default: 6 h. */
  readonly withinMs: number;
  /** Default: 1 h. */
  readonly holdMs: number;
};

/** How Tocsin watches itself. */
export type SelfWatchConfig = {
  /** A component without a sign of life for so long is told of. Default: 1 min. */
  readonly staleAfterMs: number;
  /** Asked (GET) after each clean audit: its own, else `DEADMAN_URL`. Absent: nobody is. */
  readonly deadmanUrl?: string;
  /** How often the audit runs. Default: 1 min. */
  readonly auditMs: number;
  /** How often a canary travels from table to outbox. Absent (`off`): never. Default: 1 h. */
  readonly canaryMs?: number;
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
  /** Where `/healthz`, `/readyz` and `/metrics` (and, of the notifier, `/hooks/…`) listen. Default: 127.0.0.1. */
  readonly host: string;
  /** Absent (`off`): none. `isDefault`: nobody chose it, so a port that is taken is a warning, not an error. */
  readonly detectorPort?: { readonly port: number; readonly isDefault: boolean };
  readonly notifierPort?: { readonly port: number; readonly isDefault: boolean };
};
