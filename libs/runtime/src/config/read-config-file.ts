import { readFileSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type Document, isNode, LineCounter, parseDocument, visit } from 'yaml';
import type { ConfigProblem } from '../errors.ts';
import { type EnvironmentVariables, interpolate } from './interpolate.ts';
import { FILE_PROBLEMS_MAX, type FilePath, type RuleBreach, valueAt } from './describe-issue.ts';
import { shownValue } from './shown-value.ts';

/** Largest configuration file, in bytes. */
const FILE_BYTES_MAX = 1_000_000;

/** Most `*alias` expansions in one file, so that a small file cannot become a huge one. */
const ALIASES_MAX = 100;

/** Turns a broken rule into a problem that names the path, the value and the line. */
export type ReportBreach = (breach: RuleBreach) => ConfigProblem;

/** What a configuration file holds, before its rules are checked. `data` is `{ version: 1 }` where there is no file. */
export type ConfigFileContent = {
  readonly file?: string;
  readonly data: unknown;
  readonly report: ReportBreach;
  /** Paths whose reference to a variable failed; other rules broken there are only consequences. */
  readonly unresolvedPaths: readonly FilePath[];
  readonly problems: readonly ConfigProblem[];
};

/**
 * Finds and reads the file: `file` if given, else `TOCSIN_CONFIG`, else `tocsin.yaml` in `cwd` if that exists. Never throws
 * for what a user can put right; a file that cannot be read or is no YAML yields a problem with line and column.
 */
export function readConfigFile(env: EnvironmentVariables, cwd: string, file?: string): ConfigFileContent {
  const named = file ?? env['TOCSIN_CONFIG']?.trim();
  const path = resolve(cwd, named || 'tocsin.yaml');
  const origin = file !== undefined ? 'configuration file' : named ? 'TOCSIN_CONFIG' : basename(path);
  let text: string;
  try {
    if (!named && !statSync(path, { throwIfNoEntry: false })) return withoutFile();
    if (statSync(path).size > FILE_BYTES_MAX)
      return unreadable(origin, `${path} is larger than ${FILE_BYTES_MAX} bytes`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? String(error)})`;
    return unreadable(origin, `${path} ${reason}; correct the path, or leave it out to run with defaults`);
  }
  return parseConfigText(text, path, env);
}

function parseConfigText(text: string, file: string, env: EnvironmentVariables): ConfigFileContent {
  const lines = new LineCounter();
  // The pretty form would quote the line, and with it perhaps a secret.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const name = basename(file);
  const faults = faultsOf(document);
  if (faults.length > 0) {
    const problems = faults.slice(0, FILE_PROBLEMS_MAX).map(({ position, message }): ConfigProblem => {
      const { line, col } = lines.linePos(position);
      return { path: `${name} line ${line}, column ${col}`, message: `not valid YAML: ${message}` };
    });
    return { ...withoutFile(), file, problems };
  }
  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    return {
      ...withoutFile(),
      file,
      problems: [{ path: name, message: `not usable YAML: ${(error as Error).message}` }],
    };
  }
  const report = reporter(document, lines, raw, name);
  if (raw === null || raw === undefined) return { ...withoutFile(), file };
  if (typeof raw !== 'object' || Array.isArray(raw)) {
    return {
      ...withoutFile(),
      file,
      problems: [{ path: name, message: 'must be a mapping of keys to values, beginning with version: 1' }],
    };
  }
  // `rules:` with nothing under it reads as null; its author means an empty section, not a wrong one.
  const sections = Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== null));
  const { value: data, breaches } = interpolate(sections, env);
  return { file, data, report, unresolvedPaths: breaches.map((breach) => breach.path), problems: breaches.map(report) };
}

type YamlFault = { readonly position: number; readonly message: string };

/** What keeps a document from being read, with the place. An alias without its anchor is nearly always a pattern that lacks quotes. */
function faultsOf(document: Document.Parsed): readonly YamlFault[] {
  const syntax = [...document.errors, ...document.warnings].map(({ code, message, pos }): YamlFault => {
    if (code === 'MULTIPLE_DOCS') return { position: pos[0], message: 'there is a second document; drop the line ---' };
    return { position: pos[0], message: code === 'BAD_ALIAS' ? `${message}${ALIAS_HINT}` : message };
  });
  if (syntax.length > 0) return syntax;
  const dangling: YamlFault[] = [];
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return;
      dangling.push({
        position: alias.range?.[0] ?? 0,
        message: `the alias *${alias.source} has no anchor${ALIAS_HINT}`,
      });
    },
  });
  return dangling;
}

const ALIAS_HINT = '; a pattern that begins with * must be in quotes';

function reporter(document: Document, lines: LineCounter, raw: unknown, name: string): ReportBreach {
  const lineOf = (path: FilePath): number | undefined => {
    for (let length = path.length; length > 0; length -= 1) {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return undefined;
  };
  return ({ path, rule, showsValue }) => {
    const value = showsValue ? `; got ${shownValue(path, valueAt(raw, path))}` : '';
    const line = lineOf(path);
    return { path: pathText(path), message: `${rule}${value}${line === undefined ? '' : ` (${name} line ${line})`}` };
  };
}

/** `routes[0].channels[1]`, the way people write such paths. */
export function pathText(path: FilePath): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
}

function withoutFile(): ConfigFileContent {
  const report: ReportBreach = ({ path, rule }) => ({ path: pathText(path), message: rule });
  return { data: { version: 1 }, report, unresolvedPaths: [], problems: [] };
}

function unreadable(path: string, message: string): ConfigFileContent {
  return { ...withoutFile(), problems: [{ path, message }] };
}
