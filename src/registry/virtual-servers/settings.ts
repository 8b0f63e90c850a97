import { z } from 'zod';
import { withFormat } from '../../config/schema.ts';
import type { YamlPath } from '../../config/yaml-file.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import { globMatches } from '../../lib/text/glob.ts';
import { registryNameField, singleLineField } from '../servers/field.ts';
import { TOOL_NAME } from '../servers/settings.ts';

const jsonValue: z.ZodType<JsonValue> = z.json().describe('Any JSON value');

/** No glob can leave out which servers it speaks of. */
const GLOB = /^[a-z0-9*-]+\/\P{Cc}+$/u;
const SOURCE_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*\/[A-Za-z0-9_.-]{1,128}$/;
const GLOB_HINT = 'write `<server>/<name>`, with `*` for any run of characters, such as `github/get_*`';

const globs = (description: string): z.ZodDefault<z.ZodArray<z.ZodType<string, string>>> => {
  const glob = z.string().max(2_048).regex(GLOB, { error: GLOB_HINT });
  return z.array(withFormat(glob, 'glob of `<server>/<name>`')).max(1_000).default([]).describe(description);
};

const sourceNameField = z.string().regex(SOURCE_NAME);
const exposedName = z
  .string()
  .regex(TOOL_NAME)
  .refine((name) => name !== '__proto__' && name !== 'constructor' && name !== 'prototype', {
    error: 'it is a name that no JSON map may hold',
  });

const textFields = {
  title: singleLineField('Title that agents see. Default: that of the original.').exactOptional(),
  description: z
    .string()
    .min(1)
    .max(16_384)
    .exactOptional()
    .describe('Description that agents see. Default: that of the original.'),
};

const fixed = z
  .record(
    z
      .string()
      .min(1)
      .max(256)
      .regex(/^\P{Cc}*$/u)
      .refine((name) => name !== '__proto__', { error: 'it is a name that no JSON map may hold' }),
    jsonValue,
  )
  .exactOptional()
  .describe(
    'Arguments that every call gets, by name. Agents neither see them nor may give them. Never a secret. Default: none.',
  );

const toolOverride = z
  .strictObject({ ...textFields, fixed })
  .describe('What is shown of one tool otherwise than its server declares it');
const promptOverride = z
  .strictObject(textFields)
  .describe('What is shown of one prompt otherwise than its server declares it');

const tools = z
  .strictObject({
    include: globs('Tools that are shown, as globs over `<server>/<tool>`. Default: none.'),
    exclude: globs('Tools that are not shown although `include` matches them. Default: none.'),
    rename: z
      .record(exposedName, sourceNameField)
      .default({})
      .describe('Tools that are shown under another name: that name, then `<server>/<tool>`. Default: none.'),
    override: z
      .record(sourceNameField, toolOverride)
      .default({})
      .describe('What is shown otherwise, by `<server>/<tool>`. Default: none.'),
  })
  .prefault({})
  .describe('Tools of the virtual server, under their own names. Default: none.');

const prompts = z
  .strictObject({
    include: globs('Prompts that are shown, as globs over `<server>/<prompt>`. Default: none.'),
    exclude: globs('Prompts that are not shown although `include` matches them. Default: none.'),
    rename: z
      .record(exposedName, sourceNameField)
      .default({})
      .describe('Prompts that are shown under another name: that name, then `<server>/<prompt>`. Default: none.'),
    override: z
      .record(sourceNameField, promptOverride)
      .default({})
      .describe('What is shown otherwise, by `<server>/<prompt>`. Default: none.'),
  })
  .prefault({})
  .describe('Prompts of the virtual server, under their own names. Default: none.');

const resources = z
  .strictObject({
    include: globs(
      'Resources and templates that are shown, as globs over `<server>/<uri>`, in its normal form, and `<server>/<template>`. Default: none.',
    ),
    exclude: globs(
      'Resources and templates that are not shown; nor is a URI that a template makes and that matches. Default: none.',
    ),
  })
  .prefault({})
  .describe('Resources and resource templates of the virtual server. Default: none.');

const virtualFile = z
  .strictObject({
    name: registryNameField('Name of the virtual server and of its file; it is served at `/v/<name>/mcp`.'),
    title: singleLineField('Name of the virtual server for people. Default: none.').exactOptional(),
    description: singleLineField('What the virtual server is for. Default: none.').exactOptional(),
    tools,
    prompts,
    resources,
  })
  .describe('One virtual server: a part of what the servers offer, on a path of its own. It grants nothing.');

/** The settings of `registry/virtual/<name>.yaml`. */
export const virtualSettingsSchema: z.ZodType<VirtualSettings> = virtualFile.transform(
  ({ tools: toolsOf, prompts: promptsOf, ...rest }) => ({
    ...rest,
    tools: toSelection(toolsOf),
    prompts: toSelection(promptsOf),
  }),
);

type ParsedSelection = z.output<typeof tools> | z.output<typeof prompts>;

function toSelection({ include, exclude, rename, override }: ParsedSelection): NamedSelection {
  return {
    include,
    exclude,
    rename: new Map(Object.entries(rename)),
    override: new Map(Object.entries(override)),
  };
}

/** What a virtual server says of one thing that it shows. */
export interface Override {
  readonly title?: string;
  readonly description?: string;
  /** Arguments that every call gets and that no agent sees or gives; of tools only. */
  readonly fixed?: JsonObject;
}

/** Which things of a kind are shown: those that `include` or `rename` names and `exclude` does not. */
export interface Selection {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** Tools or prompts of a virtual server; originals are `<server>/<name>`. */
export interface NamedSelection extends Selection {
  /** Original by the name under which it is shown. */
  readonly rename: ReadonlyMap<string, string>;
  /** By original. */
  readonly override: ReadonlyMap<string, Override>;
}

/** One virtual server, as its file declares it. */
export interface VirtualSettings {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly tools: NamedSelection;
  readonly prompts: NamedSelection;
  readonly resources: Selection;
}

/** A virtual server, and where its settings stand. */
export interface VirtualServer {
  readonly settings: VirtualSettings;
  /** `file:line:column` of a setting. */
  readonly at: (path: YamlPath) => string;
  /** `file:line:column` of the key of a setting. */
  readonly keyAt: (path: YamlPath) => string;
}

/** The original of a thing, as files of `registry/virtual/` write it. */
export function sourceName(server: string, name: string): string {
  return `${server}/${name}`;
}

/** True when a selection shows an original by its globs. */
export function isIncluded({ include, exclude }: Selection, source: string): boolean {
  return include.some((glob) => globMatches(glob, source)) && !isExcluded({ exclude }, source);
}

export function isExcluded({ exclude }: Pick<Selection, 'exclude'>, source: string): boolean {
  return exclude.some((glob) => globMatches(glob, source));
}

/** Names by original, the other way round than a file has them. */
export function renamesBySource({ rename }: NamedSelection): ReadonlyMap<string, string> {
  return new Map(Array.from(rename, ([name, source]) => [source, name]));
}
