import { createScanner, type Node } from 'jsonc-parser';
import { detectSecret, secretArgument } from '../../lib/secrets/detect-secret.ts';
import { parseJsonDocument } from './json-document.ts';

/**
 * Masks a JSON text: each value that looks like a secret becomes `"[secret]"`, each comment that holds one
 * `/* [secret] *\/`. Empty if the text is not JSON.
 */
export function maskSecrets(text: string): string {
  const document = parseJsonDocument('', text);
  if (!('file' in document)) return '';
  const values = document.root === undefined ? [] : secretNodes(document.root, '');
  const spans = [...values.map((node) => ({ ...nodeSpan(node), replacement: '"[secret]"' })), ...secretComments(text)];
  let result = '';
  let end = 0;
  for (const { from, to, replacement } of spans.sort((one, other) => one.from - other.from)) {
    result += `${text.slice(end, from)}${replacement}`;
    end = to;
  }
  return result + text.slice(end);
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly replacement: string;
}

function nodeSpan({ offset, length }: Node): Omit<Span, 'replacement'> {
  return { from: offset, to: offset + length };
}

// `SyntaxKind` of jsonc-parser is a const enum, which isolated modules cannot import.
const COMMENTS: ReadonlySet<number> = new Set([12, 13]);
const END_OF_FILE = 17;

function secretComments(text: string): readonly Span[] {
  const scanner = createScanner(text);
  const spans: Span[] = [];
  for (let token: number = scanner.scan(); token !== END_OF_FILE; token = scanner.scan()) {
    const from = scanner.getTokenOffset();
    const to = scanner.getPosition();
    const isSecret = COMMENTS.has(token) && detectSecret('', text.slice(from, to)) !== undefined;
    if (isSecret) spans.push({ from, to, replacement: '/* [secret] */' });
  }
  return spans;
}

function secretNodes(node: Node, key: string, previous?: string): readonly Node[] {
  if (node.type === 'string') {
    const text = String(node.value);
    return (detectSecret(key, text) ?? secretArgument(text, previous)) === undefined ? [] : [node];
  }
  const children = node.children ?? [];
  if (node.type === 'property') {
    const [name, value] = children;
    return value === undefined ? [] : secretNodes(value, String(name?.value ?? ''));
  }
  return children.flatMap((child, index) => {
    if (node.type !== 'array') return secretNodes(child, key);
    const preceding: unknown = children[index - 1]?.value;
    return secretNodes(child, '', typeof preceding === 'string' ? preceding : undefined);
  });
}
