import type { FilePath, RuleBreach } from './describe-issue.ts';

/** The variables a process was started with. */
export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

/** A value after its references were filled in, with what could not be. */
export type Interpolation = { readonly value: unknown; readonly breaches: readonly RuleBreach[] };

/** Deepest nesting of a file that is followed. The format itself needs six levels. */
const DEPTH_MAX = 20;

/**
 * Replaces `${NAME}` in every text of a parsed file by the environment variable NAME, whole or embedded; the result is
 * always text. `$${` stands for a plain `${`. Keys are left alone. A variable that is unset or empty is a breach, and so
 * is any other form (`${NAME:-x}`), because a default that silently does not work would be worse than none.
 */
export function interpolate(value: unknown, env: EnvironmentVariables, path: FilePath = []): Interpolation {
  if (typeof value === 'string') return interpolateText(value, env, path);
  if (typeof value !== 'object' || value === null) return { value, breaches: [] };
  if (path.length >= DEPTH_MAX)
    return { value: null, breaches: [{ path, rule: `is nested deeper than ${DEPTH_MAX} levels`, showsValue: false }] };
  const breaches: RuleBreach[] = [];
  const inner = (item: unknown, key: PropertyKey): unknown => {
    const result = interpolate(item, env, [...path, key]);
    breaches.push(...result.breaches);
    return result.value;
  };
  const filled = Array.isArray(value)
    ? value.map((item, index) => inner(item, index))
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inner(item, key)]));
  return { value: filled, breaches };
}

function interpolateText(text: string, env: EnvironmentVariables, path: FilePath): Interpolation {
  const breaches: RuleBreach[] = [];
  const value = text.replaceAll(
    /\$(\$\{)|\$\{([^}]*)\}?/g,
    (whole: string, escaped: string | undefined, name: string | undefined) => {
      if (escaped !== undefined) return escaped;
      if (name === undefined || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || !whole.endsWith('}')) {
        breaches.push({
          path,
          rule: `${JSON.stringify(whole.slice(0, 30))} is not a reference to a variable; write \${NAME}, or $\${ for a plain \${`,
          showsValue: false,
        });
        return '';
      }
      const filled = env[name];
      if (filled !== undefined && filled !== '') return filled;
      breaches.push({
        path,
        rule: `refers to the environment variable ${name}, which is not set; set it or take the reference out`,
        showsValue: false,
      });
      return '';
    },
  );
  return { value, breaches };
}
