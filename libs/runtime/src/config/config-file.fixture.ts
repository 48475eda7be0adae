import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../errors.ts';
import type { Config } from './config.ts';
import { loadConfig } from './load-config.ts';

type Variables = Readonly<Record<string, string>>;

/** When such a file is loaded, unless a test says otherwise: a Monday. */
export const LOADED_AT = new Date('2026-03-02T12:00:00Z');

/** Loads a file of this text, `version: 1` put before it. */
export function loadText(yaml: string, env: Variables = {}): Config {
  const cwd = mkdtempSync(join(tmpdir(), 'tocsin-config-'));
  try {
    writeFileSync(join(cwd, 'tocsin.yaml'), `version: 1\n${yaml}`);
    return loadConfig({ env, cwd, now: LOADED_AT });
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

/** What is wrong with such a file, one line per problem, without the number of the line in the file. */
export function problemsOfText(yaml: string, env: Variables = {}): readonly string[] {
  try {
    loadText(yaml, env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message.replace(/ \(tocsin\.yaml line \d+\)$/, '')}`);
  }
}
