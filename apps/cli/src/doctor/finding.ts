import type { Config, Pool } from '@tocsin/runtime';

/** What one check came to. Only `fail` makes the doctor exit 1. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to do about it; absent when there is nothing to do. */
  readonly cure?: string;
}

/** What checks work with. */
export interface Patient {
  /** With the databases filled in. */
  readonly config: Config;
  /** Tocsin's own database. */
  readonly connectionString: string;
  readonly pool: Pool;
}

export const ok = (check: string, message: string): Finding => ({ check, status: 'ok', message });
/** All is well, and something could be done nevertheless. */
export const note = (check: string, message: string, cure: string): Finding => ({ check, status: 'ok', message, cure });
export const warn = (check: string, message: string, cure: string): Finding => ({
  check,
  status: 'warn',
  message,
  cure,
});
export const fail = (check: string, message: string, cure: string): Finding => ({
  check,
  status: 'fail',
  message,
  cure,
});
