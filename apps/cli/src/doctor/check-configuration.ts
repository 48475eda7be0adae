import type { Config } from '@tocsin/runtime';
import { counted, listed } from '../printing/lines.ts';
import { ok, warn } from './finding.ts';
import type { Finding } from './finding.ts';

/** Channels that only this machine sees. */
const localTypes: ReadonlySet<string> = new Set(['outbox', 'console']);

/** The configuration was read without a problem; is there anything in it that is probably not meant? */
export const checkConfiguration = (config: Config): readonly Finding[] => [
  ok(
    'configuration',
    `${config.file ?? 'no file, defaults and environment only'}: ${counted(config.jobs.length, 'table')}, ${counted(config.chains.length, 'chain')}, ${counted(config.schedules.length, 'schedule')}, ${counted(config.routes.length, 'route')}`,
  ),
  ...config.warnings.map((warning) => warn('configuration', warning, 'see: npx tocsin config check')),
  ...config.routes.map(({ name, channels, fallback }): Finding => {
    const types = [...channels, ...fallback].map((channel) => config.channels[channel]?.type ?? 'unknown');
    return types.every((type) => localTypes.has(type))
      ? warn(
          'channels',
          `route ${name} reaches only this machine (${listed(channels)})`,
          'set SENDGRID_API_KEY or SMTP_URL, and ALERT_EMAIL_TO',
        )
      : ok(
          'channels',
          `route ${name} tells ${listed(channels)}${fallback.length === 0 ? '' : `, else ${listed(fallback)}`}`,
        );
  }),
];
