import { configSecrets, createLogger, loadConfig, runUntilStopped } from '@tocsin/runtime';
import { runDetector } from './run-detector.ts';

const config = loadConfig({ env: process.env, cwd: process.cwd() });
const log = createLogger({ level: config.logLevel, name: 'detector', secretValues: configSecrets(config) });
await runUntilStopped({ log, start: () => runDetector(config, log, { once: process.argv.includes('--once') }) });
