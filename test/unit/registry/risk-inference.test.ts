import { expect, test } from 'vitest';
import { inferRisk } from '../../../src/registry/features/risk-inference.ts';

const LOOKS = { readOnlyHint: true };
const ADDS = { readOnlyHint: false, destructiveHint: false };
const HARMS = { readOnlyHint: false, destructiveHint: true };

/** The tools of the official servers with their annotations. */
const OFFICIAL: readonly (readonly [server: string, tool: string, annotations: object, risk: string])[] = [
  ['filesystem', 'read_file', LOOKS, 'read'],
  ['filesystem', 'read_text_file', LOOKS, 'read'],
  ['filesystem', 'read_media_file', LOOKS, 'read'],
  ['filesystem', 'read_multiple_files', LOOKS, 'read'],
  ['filesystem', 'list_directory', LOOKS, 'read'],
  ['filesystem', 'list_directory_with_sizes', LOOKS, 'read'],
  ['filesystem', 'directory_tree', LOOKS, 'read'],
  ['filesystem', 'search_files', LOOKS, 'read'],
  ['filesystem', 'get_file_info', LOOKS, 'read'],
  ['filesystem', 'list_allowed_directories', LOOKS, 'read'],
  ['filesystem', 'create_directory', ADDS, 'write'],
  ['filesystem', 'write_file', HARMS, 'destructive'],
  ['filesystem', 'edit_file', HARMS, 'destructive'],
  ['filesystem', 'move_file', HARMS, 'destructive'],
  ['memory', 'read_graph', LOOKS, 'read'],
  ['memory', 'search_nodes', LOOKS, 'read'],
  ['memory', 'open_nodes', LOOKS, 'read'],
  ['memory', 'create_entities', ADDS, 'write'],
  ['memory', 'create_relations', ADDS, 'write'],
  ['memory', 'add_observations', ADDS, 'write'],
  ['memory', 'delete_entities', HARMS, 'destructive'],
  ['memory', 'delete_observations', HARMS, 'destructive'],
  ['memory', 'delete_relations', HARMS, 'destructive'],
  ['everything', 'echo', LOOKS, 'read'],
  ['everything', 'get-annotated-message', LOOKS, 'read'],
  ['everything', 'get-env', LOOKS, 'destructive'],
  ['everything', 'get-resource-links', LOOKS, 'read'],
  ['everything', 'get-resource-reference', LOOKS, 'read'],
  ['everything', 'get-structured-content', LOOKS, 'read'],
  ['everything', 'get-sum', LOOKS, 'read'],
  ['everything', 'get-tiny-image', LOOKS, 'read'],
  ['everything', 'toggle-simulated-logging', ADDS, 'write'],
  ['everything', 'toggle-subscriber-updates', ADDS, 'write'],
  // No word of these names is known, so only the annotation counts.
  ['everything', 'gzip-file-as-resource', ADDS, 'destructive'],
  ['everything', 'trigger-long-running-operation', LOOKS, 'destructive'],
  ['everything', 'simulate-research-query', ADDS, 'destructive'],
];

test.each(OFFICIAL)('the official server %s: %s is proposed by name and annotations', (_, name, annotations, risk) => {
  expect(inferRisk({ name, annotations: { ...annotations } }).risk).toBe(risk);
});

const ALONE: readonly (readonly [name: string, risk: string])[] = [
  ['read_file', 'read'],
  ['getIssue', 'read'],
  ['list-pull-requests', 'read'],
  ['create_issue', 'write'],
  ['updateRecord', 'write'],
  ['get_or_create_user', 'write'],
  ['delete_repository', 'destructive'],
  ['execute_sql', 'destructive'],
  ['send_email', 'destructive'],
  ['run', 'destructive'],
  ['list_and_delete', 'destructive'],
  ['readDelete', 'destructive'],
  ['frobnicate', 'destructive'],
  ['issue_read', 'destructive'],
  ['nuke_search_index', 'destructive'],
  ['nuke_and_create', 'destructive'],
  ['', 'destructive'],
];

test.each(ALONE)('a tool without annotations is proposed by its name alone: `%s` is %s', (name, risk) => {
  expect(inferRisk({ name }).risk).toBe(risk);
});

test.each([
  ['get-env', 'env'],
  ['get_env', 'env'],
  ['readEnvironment', 'environment'],
  ['get_secret_value', 'secret'],
  ['list_credentials', 'credentials'],
  ['getAccessToken', 'token'],
  ['show_password', 'password'],
  ['describe_api_keys', 'keys'],
  ['vault_secret_read', 'secret'],
])('a tool that may reveal secrets is never `read`, whatever its annotations: `%s`', (name, word) => {
  expect(inferRisk({ name, annotations: LOOKS })).toEqual({
    risk: 'destructive',
    why: `\`${word}\` is in its name, and it may reveal secrets`,
  });
});

test('a word that only contains a secret word does not count', () => {
  expect(inferRisk({ name: 'search_keywords' }).risk).toBe('read');
  expect(inferRisk({ name: 'get_monkey' }).risk).toBe('read');
});

test('annotations never lower the risk of the name', () => {
  expect(inferRisk({ name: 'delete_file', annotations: LOOKS })).toEqual({
    risk: 'destructive',
    why: '`delete` is in its name',
  });
  expect(inferRisk({ name: 'write_file', annotations: LOOKS }).risk).toBe('write');
  expect(inferRisk({ name: 'frobnicate', annotations: LOOKS }).risk).toBe('destructive');
});

test('a name never lowers the risk of the annotations', () => {
  expect(inferRisk({ name: 'get_file', annotations: HARMS })).toEqual({
    risk: 'destructive',
    why: 'annotated `destructiveHint`',
  });
  expect(inferRisk({ name: 'get_file', annotations: ADDS }).risk).toBe('write');
  // The specification's default of `destructiveHint` is true.
  expect(inferRisk({ name: 'create_file', annotations: { readOnlyHint: false } }).risk).toBe('destructive');
  expect(inferRisk({ name: 'get_file', annotations: { readOnlyHint: true, destructiveHint: true } }).risk).toBe(
    'destructive',
  );
});

test('a verb that is not the first word counts when the annotations agree', () => {
  expect(inferRisk({ name: 'issue_read', annotations: LOOKS }).risk).toBe('read');
  expect(inferRisk({ name: 'github_create_issue', annotations: ADDS }).risk).toBe('write');
});

test('invalid annotations are ignored', () => {
  expect(inferRisk({ name: 'get_file', annotations: 'readOnly' }).risk).toBe('read');
  expect(inferRisk({ name: 'frobnicate', annotations: { readOnlyHint: 'true' } }).risk).toBe('destructive');
});
