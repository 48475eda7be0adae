import { readFileSync } from 'node:fs';

/** The version of the product; `src` and `dist` lie equally deep below the package's folder. */
export const version = (): string => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
};
