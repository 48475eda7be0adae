import { loadConfig } from '@tocsin/runtime';
import type { Config } from '@tocsin/runtime';
import type { Invocation } from '../terminal.ts';

/** The configuration of this call. @throws ConfigError with every problem */
export const readConfig = ({ terminal, configFile }: Invocation): Config =>
  loadConfig({ env: terminal.env, cwd: terminal.cwd, ...(configFile !== undefined && { file: configFile }) });
