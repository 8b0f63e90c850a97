import type { ZodType } from 'zod';
import { editorSchemaText } from '../config/json-schema.ts';
import { limitsSettings } from '../limits/settings.ts';
import { suiteSchema } from '../policy/suite-file.ts';
import { agentSettingsSchema } from '../registry/agent-settings.ts';
import { serverSettingsSchema } from '../registry/server-schema.ts';
import { virtualSettingsSchema } from '../registry/virtual-schema.ts';

const SCHEMAS: readonly (readonly [name: string, title: string, schema: ZodType])[] = [
  ['server', 'registry/servers/*.yaml', serverSettingsSchema],
  ['agent', 'registry/agents/*.yaml', agentSettingsSchema],
  ['virtual', 'registry/virtual/*.yaml', virtualSettingsSchema],
  ['limits', 'policies/limits.yaml', limitsSettings],
  ['policy-test', 'policies/tests/*.yaml', suiteSchema],
];

/** The generated schemas that editors check the YAML files with: text by path. */
export function schemaFiles(): ReadonlyMap<string, string> {
  return new Map(
    SCHEMAS.map(([name, title, schema]) => [`registry/schema/${name}.schema.json`, editorSchemaText(schema, title)]),
  );
}
