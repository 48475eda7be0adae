/**
 * How mail programs put mails into conversations: the algorithm of Jamie Zawinski for Netscape Mail and Grendel, which
 * most programs and IMAP's `THREAD=REFERENCES` (RFC 5256) follow. Written anew after the description in
 * https://www.jwz.org/doc/threading.html; the numbers of its steps stand at the code.
 */

/** What threading looks at. */
export interface ThreadableMail {
  readonly messageId: string;
  /** Ids of References and then of In-Reply-To, oldest first. */
  readonly references: readonly string[];
  readonly subject: string;
}

/** A mail with the answers to it; `mail` is null where only answers to it have arrived. */
export interface Thread {
  readonly id: string;
  readonly mail: ThreadableMail | null;
  readonly children: readonly Thread[];
}

interface Container {
  id: string;
  mail: ThreadableMail | null;
  parent: Container | null;
  children: Container[];
}

/**
 * Puts mails, in the order of their arrival, into conversations.
 *
 * @param bySubject joins conversations of the same subject as well (step 5), as most programs do and Gmail does not
 */
export const threadsOf = (
  mails: readonly ThreadableMail[],
  { bySubject }: { readonly bySubject: boolean },
): readonly Thread[] => {
  // Steps 1 to 3: every id becomes a container, known or not; those without a parent are the roots.
  const byId = new Map<string, Container>();
  for (const mail of mails) {
    const own = containerOf(byId, mail.messageId);
    // The same mail twice is one.
    if (own.mail !== null) continue;
    own.mail = mail;
    let last: Container | null = null;
    for (const id of mail.references) {
      const next = containerOf(byId, id);
      if (last !== null && next.parent === null) adopt(last, next);
      last = next;
    }
    // The mail itself knows best what it answers; a guess made of somebody else's references gives way.
    if (last !== null && last !== own.parent) adopt(last, own);
  }
  const roots = [...byId.values()].filter(({ parent }) => parent === null);
  // Step 4.
  const pruned = roots.flatMap((root) => prune(root, true));
  return bySubject ? joinBySubject(pruned) : pruned;
};

const containerOf = (byId: Map<string, Container>, id: string): Container => {
  const known = byId.get(id);
  if (known !== undefined) return known;
  const fresh = emptyContainer(id);
  byId.set(id, fresh);
  return fresh;
};

const emptyContainer = (id: string): Container => ({ id, mail: null, parent: null, children: [] });

/** Never makes a loop: who is above the new child cannot be below it. */
const adopt = (parent: Container, child: Container): void => {
  for (let above: Container | null = parent; above !== null; above = above.parent) if (above === child) return;
  if (child.parent !== null) child.parent.children = child.parent.children.filter((one) => one !== child);
  child.parent = parent;
  parent.children.push(child);
};

/** Drops what no mail has come of; its answers move up, but not several of them to the top: there they stay together. */
const prune = (container: Container, isRoot: boolean): Container[] => {
  container.children = container.children.flatMap((child) => prune(child, false));
  if (container.mail !== null) return [container];
  return isRoot && container.children.length > 1 ? [container] : container.children;
};

/** Step 5. */
const joinBySubject = (roots: readonly Container[]): Container[] => {
  const leading = new Map<string, Container>();
  for (const root of roots) {
    const subject = subjectOf(root);
    const known = leading.get(bare(subject));
    const leads =
      known === undefined ||
      (root.mail === null && known.mail !== null) ||
      (known.mail !== null && isReply(known.mail.subject) && root.mail !== null && !isReply(root.mail.subject));
    if (bare(subject) !== '' && leads) leading.set(bare(subject), root);
  }
  const joined = new Set<Container>(roots);
  for (const root of roots) {
    const subject = bare(subjectOf(root));
    const first = leading.get(subject);
    if (first === undefined || first === root) continue;
    joined.delete(root);
    if (first.mail === null) first.children.push(...(root.mail === null ? root.children : [root]));
    else if (!isReply(first.mail.subject) && root.mail !== null && isReply(root.mail.subject))
      first.children.push(root);
    else {
      // Two first mails of one subject are siblings.
      const both = { ...emptyContainer(`subject ${subject}`), children: [first, root] };
      joined.delete(first);
      joined.add(both);
      leading.set(subject, both);
    }
  }
  return [...joined];
};

const subjectOf = ({ mail, children }: Container): string => mail?.subject ?? children[0]?.mail?.subject ?? '';
const reply = /^(?:re(?:\[\d+\])?:\s*)+/i;
const isReply = (subject: string): boolean => reply.test(subject);
const bare = (subject: string): string => subject.replace(reply, '').trim();
