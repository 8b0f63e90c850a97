import type { JsonObject } from '../../../src/lib/json/json.ts';
import { asText, type Exchange } from './exchange.ts';

/** A tool as it is listed, and what it does. */
export interface UpstreamTool {
  readonly definition: JsonObject & { readonly name: string };
  call(args: JsonObject, exchange: Exchange): JsonObject | Promise<JsonObject>;
}

/** A red pixel. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
/** A WAV without a sample. */
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=';

/** The definition of a tool that takes nothing, or what `properties` says. */
export function toolNamed(name: string, properties: JsonObject = {}): JsonObject & { readonly name: string } {
  const required = Object.keys(properties);
  const inputSchema: JsonObject = { type: 'object', properties, ...(required.length === 0 ? {} : { required }) };
  return { name, description: `${name.replaceAll('_', ' ')}, for the conformance suite`, inputSchema };
}

/** A result of one text. */
export function textResult(text: string): JsonObject {
  return { content: [{ type: 'text', text }] };
}

const IMAGE: JsonObject = { type: 'image', data: PNG, mimeType: 'image/png' };

/** Keywords of JSON Schema 2020-12 that must come through unchanged (SEP-1613, SEP-2106). */
const RICH_SCHEMA: JsonObject = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { road: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  ...{ if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] } },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
  ...{ then: { required: ['phone'] }, else: { required: ['email'] } },
  additionalProperties: false,
};

/** Tools that answer at once, with every kind of content. */
export const CONTENT_TOOLS: readonly UpstreamTool[] = [
  {
    definition: toolNamed('test_simple_text'),
    call: () => textResult('This is a simple text response for testing.'),
  },
  { definition: toolNamed('test_image_content'), call: () => ({ content: [IMAGE] }) },
  {
    definition: toolNamed('test_audio_content'),
    call: () => ({ content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] }),
  },
  {
    definition: toolNamed('test_embedded_resource'),
    call: () => ({
      content: [
        {
          type: 'resource',
          resource: {
            uri: 'test://embedded-resource',
            mimeType: 'text/plain',
            text: 'This is an embedded resource content.',
          },
        },
      ],
    }),
  },
  {
    definition: toolNamed('test_multiple_content_types'),
    call: () => ({
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        IMAGE,
        {
          type: 'resource',
          resource: {
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: '{"test":"data","value":123}',
          },
        },
      ],
    }),
  },
  {
    definition: toolNamed('test_error_handling'),
    call: () => ({ ...textResult('This tool intentionally returns an error for testing'), isError: true }),
  },
  {
    definition: { ...toolNamed('json_schema_2020_12_tool'), inputSchema: RICH_SCHEMA },
    call: (args) => textResult(JSON.stringify(args)),
  },
  {
    definition: toolNamed('test_custom_header', { region: { type: 'string', 'x-mcp-header': 'Region' } }),
    call: ({ region }) => textResult(`region ${asText(region)}`),
  },
];
