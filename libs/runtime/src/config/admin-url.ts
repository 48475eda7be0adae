import { suggestName } from './nearest-name.ts';
import { HTTP_PROTOCOLS, urlProblem } from './setting-rules.ts';

/** What may stand in braces in `ADMIN_URL`. */
export const ADMIN_URL_PLACEHOLDERS = ['source', 'job_type', 'target_id', 'id'] as const;

/** What is wrong with a template of a link to the user's own admin page, or undefined. */
export function adminUrlProblem(template: string): string | undefined {
  for (const [, placeholder = ''] of template.matchAll(/\{([^{}]*)\}/g)) {
    if (!ADMIN_URL_PLACEHOLDERS.some((known) => known === placeholder)) {
      const known = ADMIN_URL_PLACEHOLDERS.map((name) => `{${name}}`);
      return `has the unknown placeholder {${placeholder}}${suggestName(`{${placeholder}}`, known)}`;
    }
  }
  const [filled = '', filledOtherwise = ''] = ['a', 'b'].map((value) => template.replaceAll(/\{[^{}]*\}/g, value));
  if (/[{}]/.test(filled)) return 'has a brace without its partner';
  const problem = urlProblem(filled, HTTP_PROTOCOLS);
  if (problem !== undefined) return problem;
  // Job data must never decide which host a link in a mail leads to.
  return new URL(filled).origin === URL.parse(filledOtherwise)?.origin
    ? undefined
    : 'must not have a placeholder in its host';
}
