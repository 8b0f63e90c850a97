// Threats T3 and T4: names that shadow or imitate others, and hints that play a tool down.

import { expect } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { buildCatalog, type Catalog } from '../../../src/registry/catalog.ts';
import { loadRegistry } from '../../../src/registry/load.ts';
import type { Pins } from '../../../src/registry/pins/pin.ts';
import { agreedPins, tool } from '../../fixtures/catalog-parts.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';

const server = (name: string): string => `name: ${name}\ntransport: { type: stdio, command: x }\npin: auto\n`;

function catalogOf(offered: Record<string, readonly JsonObject[]>, pins: Pins = new Map()): Catalog {
  return buildCatalog({
    registry: loadRegistry({ 'servers/mail.yaml': server('mail'), 'servers/other.yaml': server('other') }),
    lock: new Map(),
    pins,
    discovered: new Map(Object.entries(offered).map(([name, tools]) => [name, { status: 'listed', tools }])),
    admit: () => ({ admitted: true }),
  });
}

const stateOf = (catalog: Catalog): string[] =>
  catalog.tools.map((state) => `${state.tool}: ${state.status} ${state.reason ?? ''}`.trim());

verifies('T3')('a tool of another server by the same name stands beside it under its own prefix', () => {
  const catalog = catalogOf({ mail: [tool('send_email')], other: [tool('send_email')] });
  expect(catalog.targets.map(({ exposedName }) => exposedName)).toEqual(['mail__send_email', 'other__send_email']);
});

verifies('T3')('a name with a Cyrillic letter is refused and names the ASCII name it resembles', () => {
  const catalog = catalogOf({ other: [tool('send_email'), tool('s\u0435nd_email')] });
  expect(stateOf(catalog)).toEqual([
    'send_email: active',
    's\\u{435}nd_email: quarantined its name is not ASCII and looks like `send_email`',
  ]);
});

verifies('T3')('of two new tools that look alike neither is accepted', () => {
  expect(stateOf(catalogOf({ mail: [tool('read_all'), tool('read_a1l')] }))).toEqual([
    'read_all: quarantined its name looks like `read_a1l`',
    'read_a1l: quarantined its name looks like `read_all`',
  ]);
});

verifies('T3').each(['Send', 'SEND'])('`%s` does not pass beside the agreed `send`', (name) => {
  const catalog = catalogOf({ mail: [tool('send'), tool(name)] }, agreedPins('mail', tool('send')));
  expect(stateOf(catalog)).toEqual(['send: active', `${name}: quarantined its name looks like \`send\``]);
});

verifies('T3')('nor does it after the agreed one went away', () => {
  const catalog = catalogOf({ mail: [tool('rnail')] }, agreedPins('mail', tool('mail')));
  expect(catalog.targets).toEqual([]);
});

verifies('T3')('a name that would break out of its prefix is refused', () => {
  const catalog = catalogOf({ mail: [tool('../other__send'), tool('a/b'), tool('')] });
  expect(catalog.targets).toEqual([]);
});

verifies('T4')('a tool that calls itself read-only is as risky as the operator says', () => {
  const hints = { annotations: { readOnlyHint: true, destructiveHint: false } };
  const catalog = catalogOf({ mail: [tool('delete_all', hints)] });
  expect(catalog.targets.map(({ risk }) => risk)).toEqual(['destructive']);
});
