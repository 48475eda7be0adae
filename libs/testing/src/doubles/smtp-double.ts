import { Buffer } from 'node:buffer';
import type { AddressInfo, Socket } from 'node:net';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { createArrivals } from './arrivals.ts';

/** How the double treats a conversation. */
export type SmtpBehaviour =
  | { readonly kind: 'accept' }
  /** Accepts the connection and never greets. */
  | { readonly kind: 'hang-at-greeting' }
  | { readonly kind: 'refuse-auth'; readonly code: number; readonly text: string }
  /** Refuses these recipients, all of them when none is named. */
  | {
      readonly kind: 'refuse-recipients';
      readonly code: number;
      readonly text: string;
      readonly only?: readonly string[];
    }
  /** Reads the message, then refuses it. */
  | { readonly kind: 'refuse-data'; readonly code: number; readonly text: string }
  /** Reads the message, accepts nothing, never answers. */
  | { readonly kind: 'hang-after-data' }
  /** Reads the message, accepts nothing, breaks the connection. */
  | { readonly kind: 'close-after-data' }
  /** Accepts the message and breaks the connection before saying so. */
  | { readonly kind: 'accept-then-close' }
  /** Accepts the message at once and says so later. */
  | { readonly kind: 'accept-late'; readonly afterMs: number };

/** A mail the double took responsibility for, as a mail program would read it. */
export interface SmtpMail {
  readonly receivedAt: string;
  /** The envelope's sender and recipients. */
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly messageId: string;
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Every header field's lines as received, names in lower case. */
  readonly headerLines: readonly { readonly key: string; readonly line: string }[];
  readonly raw: string;
  /** Whether it came over TLS. */
  readonly secure: boolean;
  /** Who logged in; null without login. */
  readonly user: string | null;
}

/** A real SMTP server on 127.0.0.1 that can be told to fail. */
export interface SmtpDouble {
  /** `smtp://127.0.0.1:port`, with user and password where it wants them. Goes where SMTP_URL goes. */
  readonly url: string;
  readonly port: number;
  next(...behaviours: readonly SmtpBehaviour[]): void;
  always(behaviour: SmtpBehaviour): void;
  messages(): readonly SmtpMail[];
  waitForMessages(count: number, timeoutMs: number): Promise<readonly SmtpMail[]>;
  /** Resolves when this many connections were made, whatever became of them. */
  waitForConnections(count: number, timeoutMs: number): Promise<void>;
  stop(): Promise<void>;
}

export interface SmtpDoubleOptions {
  /** Wants this login. Default: none. */
  readonly login?: { readonly user: string; readonly password: string };
  /** Offers STARTTLS with a certificate nobody trusts. Default: false. */
  readonly startTls?: boolean;
  readonly port?: number;
}

/** Starts the double. One behaviour is taken from the queue for each connection; then the standing one holds. */
export const startSmtpDouble = async (options: SmtpDoubleOptions = {}): Promise<SmtpDouble> => {
  const mails = createArrivals<SmtpMail>('mails at the SMTP double');
  const connections = createArrivals<true>('connections at the SMTP double');
  const sockets = new Map<string, Socket>();
  const behaviours = new Map<string, SmtpBehaviour>();
  const timers = new Set<NodeJS.Timeout>();
  const queued: SmtpBehaviour[] = [];
  let standing: SmtpBehaviour = { kind: 'accept' };
  const { login } = options;

  const behaviourOf = (session: { readonly id: string }): SmtpBehaviour => behaviours.get(session.id) ?? standing;
  const breakConnection = (session: { readonly remoteAddress: string; readonly remotePort: number }): void =>
    void sockets.get(String(session.remotePort))?.resetAndDestroy();

  const server = new SMTPServer({
    authOptional: login === undefined,
    allowInsecureAuth: true,
    disabledCommands: [...(options.startTls === true ? [] : ['STARTTLS']), ...(login === undefined ? ['AUTH'] : [])],
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 1,
    onConnect: (session, callback) => {
      const behaviour = queued.shift() ?? standing;
      behaviours.set(session.id, behaviour);
      connections.add(true);
      if (behaviour.kind !== 'hang-at-greeting') callback();
    },
    onAuth: (auth, session, callback) => {
      const behaviour = behaviourOf(session);
      if (behaviour.kind === 'refuse-auth') return callback(refusal(behaviour));
      if (auth.username !== login?.user || auth.password !== login?.password)
        return callback(refusal({ code: 535, text: 'Authentication failed' }));
      callback(null, { user: auth.username ?? '' });
    },
    onRcptTo: (address, session, callback) => {
      const behaviour = behaviourOf(session);
      const refused =
        behaviour.kind === 'refuse-recipients' &&
        (behaviour.only === undefined || behaviour.only.includes(address.address));
      callback(refused ? refusal(behaviour) : null);
    },
    onData: (stream, session, callback) => {
      const behaviour = behaviourOf(session);
      const chunks: Buffer[] = [];
      const keep = async (): Promise<void> => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.add(
          await readMail(Buffer.concat(chunks), {
            envelope: { from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address) },
            secure: session.secure,
            user: typeof session.user === 'string' ? session.user : null,
          }),
        );
      };
      const finish = async (): Promise<void> => {
        switch (behaviour.kind) {
          case 'refuse-data':
            return callback(refusal(behaviour));
          case 'hang-after-data':
            return;
          case 'close-after-data':
            return breakConnection(session);
          case 'accept-then-close':
            await keep();
            return breakConnection(session);
          case 'accept-late': {
            await keep();
            const timer = setTimeout(() => callback(null, 'queued as late'), behaviour.afterMs);
            timers.add(timer);
            return;
          }
          case 'accept':
          case 'refuse-recipients':
          case 'refuse-auth':
          case 'hang-at-greeting':
            await keep();
            return callback(null, `queued as ${session.id}`);
          default:
            return behaviour satisfies never;
        }
      };
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        // A mail that cannot be parsed is a mistake of the sender's: the client gets no reply, and its test fails.
        finish().catch(() => breakConnection(session));
      });
    },
  });
  // A client that breaks off is part of what is tested.
  server.on('error', () => {});
  server.server.on('connection', (socket: Socket) => {
    const key = String(socket.remotePort);
    sockets.set(key, socket);
    socket.once('close', () => sockets.delete(key));
  });
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.server.address() as AddressInfo;
  const credentials =
    login === undefined ? '' : `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}@`;
  return {
    url: `smtp://${credentials}127.0.0.1:${port}`,
    port,
    next: (...more) => void queued.push(...more),
    always: (behaviour) => {
      standing = behaviour;
    },
    messages: mails.all,
    waitForMessages: mails.wait,
    waitForConnections: async (count, timeoutMs) => void (await connections.wait(count, timeoutMs)),
    stop: async () => {
      for (const timer of timers) clearTimeout(timer);
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const socket of sockets.values()) socket.destroy();
      await closed;
    },
  };
};

const refusal = ({ code, text }: { readonly code: number; readonly text: string }): Error =>
  Object.assign(new Error(text), { responseCode: code });

const readMail = async (raw: Buffer, facts: Pick<SmtpMail, 'envelope' | 'secure' | 'user'>): Promise<SmtpMail> => {
  const mail = await simpleParser(raw);
  const recipients = mail.to === undefined ? [] : Array.isArray(mail.to) ? mail.to : [mail.to];
  return {
    ...facts,
    receivedAt: new Date().toISOString(),
    messageId: mail.messageId ?? '',
    inReplyTo: mail.inReplyTo ?? null,
    references: mail.references === undefined ? [] : [mail.references].flat(),
    from: mail.from?.value[0]?.address ?? '',
    to: recipients.flatMap(({ value }) => value.map(({ address }) => address ?? '')),
    subject: mail.subject ?? '',
    text: mail.text ?? '',
    html: mail.html === false ? '' : (mail.html ?? ''),
    headerLines: mail.headerLines.map(({ key, line }) => ({ key, line })),
    raw: raw.toString('utf8'),
  };
};
