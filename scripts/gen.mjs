// Writes the files that are generated from code, so that documentation cannot drift from it. `--check` writes nothing and
// exits 1 if a file differs. Run through `npm run gen` or `npm run gen:check`, which build first.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as prettier from 'prettier';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * One entry per generated file: `generate()` returns its text, or undefined while the code it comes from is not built or
 * does not offer it. An entry that throws is an error.
 */
const generators = [
  {
    file: 'migrations/schema.sql',
    generate: async () => {
      const built = ['libs/runtime/dist/index.js', 'libs/testing/dist/dump-schema.js'];
      if (!built.every((path) => existsSync(resolve(root, path)))) return undefined;
      const { generateSchema } = await import('./dump-schema.mjs');
      return generateSchema();
    },
  },
  {
    file: 'docs/tocsin.schema.json',
    generate: async () => {
      const { configJsonSchema } = await builtLib('runtime');
      return configJsonSchema && `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
    },
  },
  {
    file: 'docs/state-machine.md',
    generate: async () => {
      const { renderMachinePage } = await builtLib('alert-model');
      return renderMachinePage?.();
    },
  },
];

/** The exports of a built lib, or an empty object if it is not built. */
async function builtLib(name) {
  const entry = resolve(root, 'libs', name, 'dist/index.js');
  return existsSync(entry) ? import(pathToFileURL(entry).href) : {};
}

/** Formats as `npm run format` would, so that the two never disagree. */
async function formatted(file, text) {
  const path = resolve(root, file);
  const { ignored, inferredParser } = await prettier.getFileInfo(path, {
    ignorePath: resolve(root, '.prettierignore'),
  });
  if (ignored || inferredParser === null) return text;
  return prettier.format(text, { ...(await prettier.resolveConfig(path)), filepath: path });
}

const check = process.argv.includes('--check');
let differences = 0;

for (const { file, generate } of generators) {
  const text = await generate();
  if (text === undefined) {
    console.log(`${file}: skipped, its source is not there yet`);
    continue;
  }
  const wanted = await formatted(file, text);
  const path = resolve(root, file);
  const current = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  if (current === wanted) {
    console.log(`${file}: up to date`);
  } else if (check) {
    differences += 1;
    console.error(
      `${file}: ${current === undefined ? 'missing' : 'differs from the code'}; run npm run gen and commit the result`,
    );
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, wanted);
    console.log(`${file}: written`);
  }
}

process.exitCode = differences > 0 ? 1 : 0;
