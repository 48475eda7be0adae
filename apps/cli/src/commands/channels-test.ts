import type { DeliveryOutcome } from '@tocsin/alert-model';
import { defaultSettings, noteTested } from '@tocsin/alert-service';
import { createChannel } from '@tocsin/channels';
import type { Channel, ChannelCheck } from '@tocsin/channels';
import { configSecrets, createLogger, createPool, settingsFingerprint } from '@tocsin/runtime';
import type { ChannelConfig } from '@tocsin/runtime';
import { findDatabase } from '../database/find-database.ts';
import { readConfig } from '../database/read-config.ts';
import { withService } from '../database/with-service.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { cleanLine } from '../printing/clean-line.ts';
import { printLines } from '../printing/lines.ts';
import { printJson } from '../printing/print-json.ts';
import type { Invocation } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { testMessage } from './test-message.ts';

export interface TestChannelOptions {
  readonly check?: boolean;
  readonly json?: boolean;
}

/** Longest time a check or the message may take, in milliseconds. */
const attemptMaxMs = 30_000;

/** `tocsin channels test`. Works without a database; with one, that it went well is kept for `config check`. */
export const testChannel = async (
  invocation: Invocation,
  name: string,
  options: TestChannelOptions,
): Promise<ExitCode> => {
  const { terminal } = invocation;
  const config = readConfig(invocation);
  const settings = config.channels[name];
  if (settings === undefined)
    throw new UsageError(`There is no channel "${name}"; there is ${Object.keys(config.channels).join(', ')}.`);
  const log = createLogger({
    level: 'warn',
    name: 'tocsin',
    secretValues: configSecrets(config),
    destination: { write: terminal.complain },
  });
  const channel = createChannel(name, settings, { log });
  const report = (line: string): void => {
    if (options.json !== true) printLines(terminal, [cleanLine(line)]);
  };
  try {
    const limits = (): { readonly signal: AbortSignal; readonly timeoutMs: number } => ({
      signal: AbortSignal.timeout(attemptMaxMs),
      timeoutMs: attemptMaxMs,
    });
    const check = (await channel.check?.(limits())) ?? null;
    if (check !== null || options.check === true) report(checkLine(name, check));
    const outcome = check?.ok === false || options.check === true ? null : await channel.send(testMessage(), limits());
    if (outcome !== null) report(outcomeLine(channel, outcome));
    const ok = check?.ok !== false && (outcome === null || outcome.outcome === 'accepted');
    // A check alone proves the settings only where the provider offers one.
    const kept =
      ok && (outcome !== null || check !== null) ? await keep(invocation, name, settings, outcome !== null) : null;
    if (kept?.reopened === true)
      report(
        `${name}: it was closed and is open again; a running notifier sends what waited for it, with the settings it was started with.`,
      );
    const result = { channel: name, type: channel.type, ok, check, outcome };
    if (options.json === true)
      printJson(terminal, { ...result, verified: kept !== null, reopened: kept?.reopened ?? false });
    return ok ? exitCodes.fine : exitCodes.problem;
  } finally {
    await channel.close();
  }
};

const checkLine = (name: string, check: ChannelCheck | null): string => {
  if (check === null) return `${name}: this kind of channel has nothing to check without telling somebody.`;
  return `${name}: ${check.ok ? 'the settings work' : 'the settings do not work'}: ${check.detail}`;
};

const outcomeLine = ({ name, recipients }: Channel, outcome: DeliveryOutcome): string =>
  outcome.outcome === 'accepted'
    ? `${name}: the test message was accepted for ${recipients.join(', ')}. Look whether it arrived.`
    : `${name}: the test message was not accepted (${outcome.reason}): ${outcome.detail}`;

/**
 * Keeps that the channel works with these settings; null where there is no database to keep it in.
 *
 * @param sent a message was taken, which opens a channel that was closed after refusals or failures
 */
const keep = async (
  invocation: Invocation,
  name: string,
  settings: ChannelConfig,
  sent: boolean,
): Promise<{ readonly reopened: boolean } | null> => {
  const config = readConfig(invocation);
  const found = await findDatabase(config).catch(() => undefined);
  if (found === undefined) return null;
  const { connectionString } = found;
  const pool = createPool({ connectionString, max: 1, applicationName: 'tocsin-cli', onError: () => {} });
  const fingerprint = settingsFingerprint(settings);
  try {
    return await withService({ pool, connectionString, config }, invocation.terminal, async (context) => {
      if (sent) {
        const { unknownRetryMs } = config.delivery;
        const { circuit } = defaultSettings;
        return { reopened: await noteTested({ ...context, settings: { circuit, unknownRetryMs } }, name, fingerprint) };
      }
      await context.store.transaction('command', (session) => session.verifyChannel(name, fingerprint));
      return { reopened: false };
    });
  } catch {
    return null;
  } finally {
    await pool.end();
  }
};
