/** One complaint in SendGrid's own shape. */
export interface SendGridComplaint {
  readonly message: string;
  readonly field: string | null;
  readonly help: string | null;
}

type Json = Readonly<Record<string, unknown>>;

const recipientsMax = 1_000;
const customArgsBytesMax = 10_000;
const categoriesMax = 10;
const categoryCharactersMax = 255;
const errorsHelp = 'http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html';

/** https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors: headers that SendGrid writes itself. */
const reservedHeaders = new Set([
  'x-sg-id',
  'x-sg-eid',
  'received',
  'dkim-signature',
  'content-type',
  'content-transfer-encoding',
  'to',
  'from',
  'subject',
  'reply-to',
  'cc',
  'bcc',
]);

const address =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

/** What SendGrid would object to in the body of `POST /v3/mail/send`; empty when it would accept it. */
export const checkMailSend = (body: unknown): readonly SendGridComplaint[] => {
  if (!isObject(body)) return [complaint('Bad Request', null)];
  return [
    ...checkPersonalizations(body['personalizations']),
    ...checkAddress(
      body['from'],
      'from',
      'The from object must be provided for every email send. It is an object that requires the email parameter, but may also contain a name parameter.',
    ),
    ...checkSubject(body),
    ...checkContent(body['content']),
    ...checkHeaders(body['headers']),
    ...checkCustomArgs(body['custom_args']),
    ...checkCategories(body['categories']),
  ];
};

const checkPersonalizations = (value: unknown): readonly SendGridComplaint[] => {
  if (!Array.isArray(value) || value.length === 0)
    return [
      complaint(
        'The personalizations field is required and must have at least one personalization.',
        'personalizations',
      ),
    ];
  if (value.length > recipientsMax)
    return [complaint(`No more than ${recipientsMax} personalizations are allowed.`, 'personalizations')];
  return value.flatMap((personalization: unknown, index) =>
    checkPersonalization(personalization, `personalizations.${index}`),
  );
};

const checkPersonalization = (value: unknown, field: string): readonly SendGridComplaint[] => {
  if (!isObject(value) || !Array.isArray(value['to']) || value['to'].length === 0)
    return [
      complaint(
        'The to array is required for all personalization objects, and must have at least one email object with a valid email address.',
        `${field}.to`,
      ),
    ];
  const complaints: SendGridComplaint[] = [];
  const seen = new Set<string>();
  for (const kind of ['to', 'cc', 'bcc']) {
    const list: readonly unknown[] = Array.isArray(value[kind]) ? value[kind] : [];
    for (const [index, entry] of list.entries()) {
      complaints.push(...checkAddress(entry, `${field}.${kind}.${index}`, 'Does not contain a valid address.'));
      const email = String(isObject(entry) ? entry['email'] : '').toLowerCase();
      if (seen.has(email))
        complaints.push(
          complaint(
            `Each email address in the personalization block should be unique between to, cc, and bcc. We found the first duplicate instance of [${email}] in the ${field}.${kind} field.`,
            'personalizations',
          ),
        );
      seen.add(email);
    }
  }
  if (seen.size > recipientsMax)
    complaints.push(complaint(`No more than ${recipientsMax} recipients are allowed.`, field));
  return complaints;
};

const checkAddress = (value: unknown, field: string, missing: string): readonly SendGridComplaint[] => {
  if (!isObject(value) || typeof value['email'] !== 'string') return [complaint(missing, `${field}.email`)];
  if (!address.test(value['email'])) return [complaint('Does not contain a valid address.', `${field}.email`)];
  const name = value['name'];
  if (
    name !== undefined &&
    (typeof name !== 'string' || /[\r\n]/.test(name) || (field !== 'from' && /[;,]/.test(name)))
  )
    return [complaint('The name may not contain line breaks, commas or semicolons.', `${field}.name`)];
  return [];
};

const checkSubject = ({ subject }: Json): readonly SendGridComplaint[] => {
  if (typeof subject !== 'string' || subject === '')
    return [
      complaint(
        'The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined.',
        'subject',
      ),
    ];
  return /[\r\n]/.test(subject) ? [complaint('The subject may not contain newline characters.', 'subject')] : [];
};

const checkContent = (value: unknown): readonly SendGridComplaint[] => {
  if (!Array.isArray(value) || value.length === 0)
    return [
      complaint(
        'Unless a valid template_id is provided, the content parameter is required. There must be at least one defined content block. We typically suggest both text/plain and text/html blocks are included, but only one block is required.',
        'content',
      ),
    ];
  const types = value.map((part: unknown) => (isObject(part) ? part['type'] : undefined));
  const complaints = value.flatMap((part: unknown, index) =>
    isObject(part) && typeof part['value'] === 'string' && part['value'] !== ''
      ? []
      : [complaint('The content value must be a string at least one character in length.', `content.${index}.value`)],
  );
  const order = types.map((type) => (type === 'text/plain' ? 0 : type === 'text/html' ? 1 : 2));
  if (order.some((rank, index) => index > 0 && rank < (order[index - 1] ?? 0)))
    complaints.push(
      complaint(
        'If present, text/plain must be first, followed by text/html, followed by any other content.',
        'content',
      ),
    );
  return complaints;
};

const checkHeaders = (value: unknown): readonly SendGridComplaint[] => {
  if (value === undefined) return [];
  if (!isObject(value)) return [complaint('The headers must be an object of key/value pairs.', 'headers')];
  return Object.entries(value).flatMap(([name, content]) => {
    if (reservedHeaders.has(name.toLowerCase()))
      return [complaint(`The header '${name}' is reserved and may not be overwritten.`, `headers.${name}`)];
    // oxlint-disable-next-line no-control-regex -- anything but printable ASCII is what is looked for.
    if (!/^[!-9;-~]+$/.test(name) || typeof content !== 'string' || /[^\u0020-\u007e]/.test(content))
      return [complaint('Header names and values must be printable ASCII without line breaks.', `headers.${name}`)];
    return [];
  });
};

const checkCustomArgs = (value: unknown): readonly SendGridComplaint[] => {
  if (value === undefined) return [];
  if (!isObject(value) || Object.values(value).some((entry) => typeof entry !== 'string'))
    return [complaint('The custom_args must be an object of key/value pairs with string values.', 'custom_args')];
  return Buffer.byteLength(JSON.stringify(value)) > customArgsBytesMax
    ? [complaint(`The custom_args may not exceed ${customArgsBytesMax} bytes.`, 'custom_args')]
    : [];
};

const checkCategories = (value: unknown): readonly SendGridComplaint[] => {
  if (value === undefined) return [];
  const categories: readonly unknown[] = Array.isArray(value) ? value : [undefined];
  if (categories.length > categoriesMax)
    return [complaint(`The categories may not exceed ${categoriesMax}.`, 'categories')];
  if (new Set(categories).size < categories.length) return [complaint('The categories must be unique.', 'categories')];
  return categories.some((category) => typeof category !== 'string' || category.length > categoryCharactersMax)
    ? [complaint(`Each category must be a string of at most ${categoryCharactersMax} characters.`, 'categories')]
    : [];
};

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const complaint = (message: string, field: string | null): SendGridComplaint => ({
  message,
  field,
  help: field === null ? null : errorsHelp,
});
