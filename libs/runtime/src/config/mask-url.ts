/** What stands where a secret was. */
export const MASK = '***';

const SECRET_QUERY_PARAMETER = /pass|secret|token|key|sig/i;

/**
 * A URL that may be shown: the password and query parameters with secret-sounding names become `***`, and so does the
 * path of a Slack webhook, which is the secret itself. User, host, port and database stay, since they are what one
 * looks for. Text that is not clearly a URL is masked whole, because nobody can say where its secret is.
 */
export function maskUrl(text: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? URL.parse(text) : null;
  // An @ behind the host means that a password with an unescaped / or # was cut in two.
  if (url === null || `${url.pathname}${url.search}${url.hash}`.includes('@')) return MASK;
  if (url.password !== '') url.password = MASK;
  else if (url.username !== '' && url.protocol.startsWith('http')) url.username = MASK;
  if (url.hostname === 'hooks.slack.com') url.pathname = `/${MASK}`;
  for (const name of url.searchParams.keys().toArray()) {
    if (SECRET_QUERY_PARAMETER.test(name)) url.searchParams.set(name, MASK);
  }
  return url.href;
}

/**
 * As `maskUrl`, but path, query and fragment are masked, too: of the address of a webhook or a dead man's switch nobody can
 * say that they are no secret.
 */
export function maskUrlPath(text: string): string {
  const shown = maskUrl(text);
  const url = URL.parse(shown);
  if (url === null || `${url.pathname}${url.search}${url.hash}` === '/') return shown;
  return `${shown.slice(0, shown.indexOf('/', shown.indexOf('://') + 3))}/${MASK}`;
}
