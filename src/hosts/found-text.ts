import { posix } from 'node:path';
import { clearTextSecret, isSecretKey, secretArgument } from '../lib/clear-text-secret.ts';
import { Secret } from '../lib/secret.ts';
import { literalText } from '../lib/secret-reference.ts';
import type { FoundText, FoundVariable } from './found-server.ts';
import { type VariableNames, variableName } from './variable-names.ts';

/** What a text of an entry is read with. */
export interface TextContext {
  /** The name of the server, from which names of variables are made. */
  readonly server: string;
  readonly names: VariableNames;
  /** What `${userHome}` stands for. */
  readonly home: string;
  /** What `${workspaceFolder}` stands for. */
  readonly project: string;
  /** The inputs that the file declares, by id. */
  readonly inputs: ReadonlyMap<string, { readonly isSecret: boolean; readonly description?: string }>;
  /** Told of a variable that means nothing outside of its host. */
  readonly unknown: (variable: string) => void;
}

/** The value of a key of `env` or `headers`: what looks like a secret becomes a reference. */
export function foundValue(key: string, text: string, context: TextContext): FoundText {
  const pieces = piecesOf(text, context, isSecretKey(key));
  if (pieces.every((piece) => typeof piece === 'string')) {
    if (clearTextSecret(key, literalText(pieces.join(''))) === undefined) return joined(pieces, literalText);
    const scheme = /^(?:Bearer|Basic|Token)\s+/i.exec(text)?.[0] ?? '';
    return joined(
      [scheme, clearText(valueName(key, context), pieces.join('').slice(scheme.length), context)],
      literalText,
    );
  }
  return joined(withoutSecrets(pieces, valueName(key, context), context), literalText);
}

/** A command, an argument, a directory or a url. `before` is the argument before it. */
export function foundArgument(text: string, context: TextContext, before?: string): FoundText {
  const pieces = piecesOf(text, context, false);
  if (!pieces.every((piece) => typeof piece === 'string')) {
    return joined(withoutSecrets(pieces, serverName('token', context), context));
  }
  const plain = pieces.join('');
  if (secretArgument(literalText(plain), before) === undefined) return joined(pieces);
  const [, flag = '', name = /^-+(.+)$/.exec(before ?? '')?.[1] ?? 'token'] = /^(-{1,2}([\w-]+)=)/.exec(plain) ?? [];
  return joined([flag, clearText(serverName(name, context), plain.slice(flag.length), context)]);
}

type Piece = string | FoundVariable;

/** A text cut at its `${…}`; what stands for something known becomes that text. */
function piecesOf(text: string, context: TextContext, isSecret: boolean): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(/\$\{([^}]*)\}/g)) {
    pieces.push(text.slice(end, match.index), pieceOf(match[1] ?? '', context, isSecret) ?? match[0]);
    end = match.index + match[0].length;
  }
  pieces.push(text.slice(end));
  return pieces.filter((piece) => piece !== '');
}

function pieceOf(body: string, context: TextContext, isSecret: boolean): Piece | undefined {
  const predefined = predefinedText(body, context);
  if (predefined !== undefined) return predefined;
  const id = /^input:(.+)$/.exec(body)?.[1];
  if (id !== undefined) {
    const input = context.inputs.get(id);
    if (input !== undefined) return { name: variableName(id), origin: 'input', ...input };
  }
  // Claude Code writes `${NAME}` and `${NAME:-default}`; Cursor, Cline and VS Code write `${env:NAME}`.
  const [, name, fallback] = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(body) ?? [];
  if (name !== undefined) {
    context.names.keep(name);
    const value = fallback === undefined || fallback === '' ? {} : { value: new Secret(fallback) };
    return { name, origin: 'environment', isSecret: isSecret || isSecretKey(name), ...value };
  }
  context.unknown(/^[\w:./-]{1,60}$/.test(body) ? body : '…');
  return undefined;
}

/** Predefined variables of VS Code and Cursor that mean the same to everyone. */
function predefinedText(body: string, { home, project }: TextContext): string | undefined {
  if (body === 'userHome') return home;
  if (body === 'workspaceFolder' || body === 'workspaceRoot') return project;
  if (body === 'workspaceFolderBasename') return posix.basename(project);
  return body === 'pathSeparator' || body === '/' ? '/' : undefined;
}

/** Where text and variables are mixed, a secret can only be told by its form. */
function withoutSecrets(pieces: readonly Piece[], name: string, context: TextContext): readonly Piece[] {
  return pieces.map((piece) =>
    typeof piece === 'string' && clearTextSecret('', literalText(piece)) !== undefined
      ? clearText(name, piece, context)
      : piece,
  );
}

function clearText(wanted: string, secret: string, { server, names }: TextContext): FoundVariable {
  const name = names.claim(wanted, { server, secret });
  return { name, origin: 'clear-text', isSecret: true, value: new Secret(secret) };
}

/** Names of `env` are names of variables already; those of `headers` are the same for every server. */
function valueName(key: string, context: TextContext): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && key.toLowerCase() !== 'authorization') return key;
  return serverName(/^(?:proxy-)?authorization$/i.test(key) ? 'token' : key.replace(/^x-/i, ''), context);
}

function serverName(name: string, { server }: TextContext): string {
  const [prefix, suffix] = [variableName(server), variableName(name)];
  return suffix.startsWith(`${prefix}_`) ? suffix : `${prefix}_${suffix}`;
}

/** Only values of `env` and `headers` are read for references, so only there a literal `${` needs its escape. */
function joined(pieces: readonly Piece[], literal: (text: string) => string = (text) => text): FoundText {
  return {
    text: pieces.map((piece) => (typeof piece === 'string' ? literal(piece) : `\${env:${piece.name}}`)).join(''),
    variables: pieces.filter((piece) => typeof piece !== 'string'),
  };
}
