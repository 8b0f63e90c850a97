import { uriProblem } from '../../domain/resource-id.ts';

/** Kinds of things a grant may speak of; `set` is a group of the others. */
export const OBJECT_KINDS = ['tool', 'resource', 'prompt', 'server', 'model'] as const;
/** Kinds of who a grant may be for. */
export const SUBJECT_KINDS = ['agent', 'role', 'team'] as const;

/** What is wrong with a name, in words. */
export interface IdDefect {
  readonly code: 'policy-kind-invalid' | 'policy-name-invalid' | 'policy-field-empty' | 'policy-uri-not-normal';
  readonly message: string;
  readonly hint: string;
}

const PLAIN_ID = /^[A-Za-z0-9][A-Za-z0-9._@-]*$/;
const AGENT_GLOB = /^[A-Za-z0-9*][A-Za-z0-9._@*-]*$/;
// Printable ASCII without space, comma, quotes, backslash, back tick and `#`, which other readers of the file take for a comment.
const OBJECT_PATH = /^[!$%&()*+\-./0-9:;<=>?@A-Z[\]^_a-z{|}~]+$/;

/** Says what keeps `id` from being an id of one of `kinds`; undefined when it is one. `globs`: whether `*` may stand in it. */
export function idDefect(
  id: string,
  options: { readonly kinds: readonly string[]; readonly globs: boolean },
): IdDefect | undefined {
  const expected = options.kinds.map((kind) => `\`${kind}:…\``).join(', ');
  if (id === '') return { code: 'policy-field-empty', message: 'an empty field', hint: `write one of ${expected}` };
  const colon = id.indexOf(':');
  const kind = colon < 0 ? '' : id.slice(0, colon);
  if (!options.kinds.includes(kind)) {
    const message = colon < 0 ? `\`${id}\` has no kind` : `\`${id}\` is not of a kind that may stand here`;
    return { code: 'policy-kind-invalid', message, hint: `write one of ${expected}` };
  }
  const name = id.slice(colon + 1);
  if (!options.globs && name.includes('*')) {
    return { code: 'policy-name-invalid', message: `\`${id}\` holds a \`*\``, hint: 'name one, without `*`' };
  }
  const pattern =
    kind === 'agent' ? AGENT_GLOB : kind === 'role' || kind === 'team' || kind === 'set' ? PLAIN_ID : OBJECT_PATH;
  if (pattern.test(name)) {
    const defect = uriProblem(id);
    return defect === undefined ? undefined : { code: 'policy-uri-not-normal', ...defect };
  }
  return {
    code: 'policy-name-invalid',
    message: `\`${id}\` is not a name`,
    hint: 'use letters, digits, `.`, `_`, `-` (in objects also `/` and `*`), and no spaces',
  };
}
