import { expect, test } from 'vitest';
import { loadRegistry } from '../../../src/registry/load.ts';
import { findUnpinnedReferences, pinnedIds } from '../../../src/registry/virtual-servers/pinned-names.ts';
import type { VirtualServer } from '../../../src/registry/virtual-servers/settings.ts';

const PINNED = [
  'tool:github/get_issue',
  'tool:github/get_file',
  'prompt:github/review',
  'resource:github/repo://{name}',
];

function virtual(text: string): VirtualServer {
  const server = 'transport: { type: stdio, command: "true" }\n';
  const files = {
    'servers/github.yaml': `name: github\n${server}`,
    'servers/mail.yaml': `name: mail\n${server}`,
    'virtual/desk.yaml': `name: desk\n${text}`,
  };
  const desk = loadRegistry(files).virtual.get('desk');
  if (desk === undefined) throw new Error('it was not read');
  return desk;
}

function unpinned(text: string, servers: readonly string[] = ['github', 'mail']): readonly string[] {
  const findings = findUnpinnedReferences(virtual(text), { pinned: PINNED, servers });
  return findings.map(({ at, message, hint }) => `${at} ${message}; ${hint}`);
}

const LOOK = 'run `seneschal registry list` to see the tools and prompts, and `seneschal registry pin` to pin them';

test('a tool or prompt that is not pinned is reported at every place that names it', () => {
  expect(
    unpinned(`tools:
  include: ["github/list_*", "github/get_*"]
  rename: { issue: github/get_isue }
  override:
    github/list_forks: { title: Forks }
prompts: { include: ["github/review", "github/get_issue"], rename: { look: mail/read } }
`),
  ).toEqual([
    'registry/virtual/desk.yaml:4:20 the tool `github/get_isue` is not pinned, so it is not shown; did you mean `github/get_issue`?',
    `registry/virtual/desk.yaml:6:5 the tool \`github/list_forks\` is not pinned, so it is not shown; ${LOOK}`,
    `registry/virtual/desk.yaml:3:13 \`github/list_*\` matches no pinned tool; ${LOOK}`,
    `registry/virtual/desk.yaml:7:76 the prompt \`mail/read\` is not pinned, so it is not shown; ${LOOK}`,
    `registry/virtual/desk.yaml:7:39 \`github/get_issue\` matches no pinned prompt; ${LOOK}`,
  ]);
});

test('resources, globs over servers, and servers with incomplete pins are ignored', () => {
  expect(unpinned('resources: { include: ["github/file://*"] }\n')).toEqual([]);
  expect(unpinned('tools: { include: ["*/send"] }\n')).toEqual([]);
  expect(unpinned('tools: { include: [mail/send], rename: { write: mail/write } }\n', ['github'])).toEqual([]);
});

test('a virtual server shows the pinned features that it includes and does not exclude, or renames', () => {
  const members = (text: string): readonly string[] => pinnedIds(virtual(text), PINNED);
  expect(members('tools: { include: ["github/*"], exclude: [github/get_file] }\n')).toEqual(['tool:github/get_issue']);
  expect(members('prompts: { rename: { look: github/review } }\n')).toEqual(['prompt:github/review']);
  expect(members('resources: { include: ["github/*"] }\n')).toEqual([]);
});
