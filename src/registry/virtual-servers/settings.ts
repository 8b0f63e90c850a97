import { z } from 'zod';
import { withFormat } from '../../config/schema.ts';
import type { YamlPath } from '../../config/yaml-file.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import { globMatches } from '../../lib/text/glob.ts';
import { registryNameField, singleLineField } from '../servers/field.ts';
import { TOOL_NAME } from '../servers/settings.ts';

const jsonValue: z.ZodType<JsonValue> = z.json().describe('Any JSON value');

/** A glob must name its servers. */
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
    error: 'the name is reserved in JavaScript objects',
  });

const textFields = {
  title: singleLineField('Title that agents see. Default: that of the source.').exactOptional(),
  description: z
    .string()
    .min(1)
    .max(16_384)
    .exactOptional()
    .describe('Description that agents see. Default: that of the source.'),
};

const fixed = z
  .record(
    z
      .string()
      .min(1)
      .max(256)
      .regex(/^\P{Cc}*$/u)
      .refine((name) => name !== '__proto__', { error: 'the name is reserved in JavaScript objects' }),
    jsonValue,
  )
  .exactOptional()
  .describe(
    'Arguments that every call gets, by name. Agents neither see them nor can set them. Never a secret. Default: none.',
  );

const toolOverride = z.strictObject({ ...textFields, fixed }).describe('Overrides of the definition of one tool');
const promptOverride = z.strictObject(textFields).describe('Overrides of the definition of one prompt');

const tools = z
  .strictObject({
    include: globs('Tools to show, as globs over `<server>/<tool>`. Default: none.'),
    exclude: globs('Tools to hide although `include` matches them. Default: none.'),
    rename: z
      .record(exposedName, sourceNameField)
      .default({})
      .describe('Tools to show under another name: new name to `<server>/<tool>`. Default: none.'),
    override: z
      .record(sourceNameField, toolOverride)
      .default({})
      .describe('Overrides by `<server>/<tool>`. Default: none.'),
  })
  .prefault({})
  .describe('Tools of the virtual server. Default: none.');

const prompts = z
  .strictObject({
    include: globs('Prompts to show, as globs over `<server>/<prompt>`. Default: none.'),
    exclude: globs('Prompts to hide although `include` matches them. Default: none.'),
    rename: z
      .record(exposedName, sourceNameField)
      .default({})
      .describe('Prompts to show under another name: new name to `<server>/<prompt>`. Default: none.'),
    override: z
      .record(sourceNameField, promptOverride)
      .default({})
      .describe('Overrides by `<server>/<prompt>`. Default: none.'),
  })
  .prefault({})
  .describe('Prompts of the virtual server. Default: none.');

const resources = z
  .strictObject({
    include: globs(
      'Resources and templates to show, as globs over `<server>/<uri>` in normal form and `<server>/<template>`. Default: none.',
    ),
    exclude: globs(
      'Resources and templates to hide, and URIs to refuse although a shown template expands to them. Default: none.',
    ),
  })
  .prefault({})
  .describe('Resources and resource templates of the virtual server. Default: none.');

const virtualFile = z
  .strictObject({
    name: registryNameField('Name of the virtual server and of its file; it is served at `/v/<name>/mcp`.'),
    title: singleLineField('Display name of the virtual server. Default: none.').exactOptional(),
    description: singleLineField('Purpose of the virtual server. Default: none.').exactOptional(),
    tools,
    prompts,
    resources,
  })
  .describe('One virtual server: a selection of features of the servers, on a path of its own. It grants nothing.');

/** The format of `registry/virtual/<name>.yaml`. */
export const virtualSettingsSchema: z.ZodType<VirtualSettings> = virtualFile.transform(
  ({ tools: parsedTools, prompts: parsedPrompts, ...rest }) => ({
    ...rest,
    tools: toSelection(parsedTools),
    prompts: toSelection(parsedPrompts),
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

/** Overrides of one feature. */
export interface Override {
  readonly title?: string;
  readonly description?: string;
  /** Arguments that every call gets and that agents neither see nor set; tools only. */
  readonly fixed?: JsonObject;
}

/** A selection of features: those that `include` or `rename` names and `exclude` does not. */
export interface Selection {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** Tools or prompts of a virtual server. A source is `<server>/<name>`. */
export interface NamedSelection extends Selection {
  /** Source by its new name. */
  readonly rename: ReadonlyMap<string, string>;
  /** Overrides by source. */
  readonly override: ReadonlyMap<string, Override>;
}

/** One virtual server as declared in its file. */
export interface VirtualSettings {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly tools: NamedSelection;
  readonly prompts: NamedSelection;
  readonly resources: Selection;
}

/** A virtual server, and the locations of its settings. */
export interface VirtualServer {
  readonly settings: VirtualSettings;
  /** `file:line:column` of a setting. */
  readonly at: (path: YamlPath) => string;
  /** `file:line:column` of the key of a setting. */
  readonly keyAt: (path: YamlPath) => string;
}

/** The source of a feature, as files of `registry/virtual/` write it. */
export function sourceName(server: string, name: string): string {
  return `${server}/${name}`;
}

/** True when the globs of a selection include a source. */
export function isIncluded({ include, exclude }: Selection, source: string): boolean {
  return include.some((glob) => globMatches(glob, source)) && !isExcluded({ exclude }, source);
}

export function isExcluded({ exclude }: Pick<Selection, 'exclude'>, source: string): boolean {
  return exclude.some((glob) => globMatches(glob, source));
}

/** New names by source, the inverse of `rename`. */
export function renamesBySource({ rename }: NamedSelection): ReadonlyMap<string, string> {
  return new Map(Array.from(rename, ([name, source]) => [source, name]));
}
