import { afterEach, expect } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json/json.ts';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { governedHome, httpServer, until, WireAgent } from '../../../fixtures/homes/governed-home.ts';
import type { Home } from '../../../fixtures/homes/home.ts';
import { serveModernOffers } from '../../../fixtures/servers/modern-features.ts';

let home: Home;

afterEach(() => home.close());

const SAFE = [{ src: 'https://example.org/i.png' }, { src: 'data:image/png;base64,AA==' }];
const icons = [
  { src: 'javascript:alert(1)' },
  ...SAFE,
  { src: 'file:///etc/passwd' },
  { src: 'http://169.254.169.254/' },
  { src: 'data:text/html,<script>alert(1)</script>' },
];
const LINK = { type: 'resource_link', name: 'l', uri: 'file:///notes.txt', icons: [{ src: 'file:///i.png' }] };
const POLICY = `p, agent:*, tool:*, call, , allow
p, agent:*, prompt:*, get, , allow
p, agent:*, resource:*, read, , allow
`;

verifies('T8')(
  'no list shows an icon that runs, reads a file or is fetched in the clear; a link in a result is not touched',
  async () => {
    const { url } = await serveModernOffers(
      {
        tools: [{ name: 'draw', inputSchema: { type: 'object' }, icons }],
        prompts: [{ name: 'hello', icons }],
        resources: [{ uri: 'test://one', name: 'one', icons }],
        resourceTemplates: [{ uriTemplate: 'test://t/{id}', name: 't', icons }],
      },
      { draw: { content: [LINK] } },
    );
    home = governedHome({ servers: { up: httpServer('up', url) }, policy: POLICY });
    const served = await home.serve();
    const agent = new WireAgent(served.url, await home.key('demo'));
    await until(async () => (await agent.tools()).length === 1);
    for (const [method, member] of [
      ['tools/list', 'tools'],
      ['prompts/list', 'prompts'],
      ['resources/list', 'resources'],
      ['resources/templates/list', 'resourceTemplates'],
    ] as const) {
      const { message } = await agent.ask(method);
      expect(message.result, method).toMatchObject({ [member]: [{ icons: SAFE }] });
    }
    // `as`: a call that was answered has a result.
    expect(((await agent.call('up__draw')).message.result as JsonObject).content).toEqual([LINK]);
    agent.close();
    const { stdout } = await home.run(['registry', 'list', '--output', 'json']);
    // What the operator agrees to is the whole definition.
    expect(stdout).toContain('the tool `draw` has icons that are neither `https:` URLs nor `data:` images');
    expect(stdout).toContain('the prompt `hello` has icons');
    expect(stdout).toContain('1 resources have icons that are neither');
  },
);

verifies('T8')(
  'the pin is of the whole definition: an icon that is not shown and becomes another one is a drift',
  async () => {
    const offered = { tools: [{ name: 'draw', inputSchema: { type: 'object' }, icons: [{ src: 'javascript:1' }] }] };
    const { url } = await serveModernOffers(offered);
    home = governedHome({ servers: { up: httpServer('up', url) } });
    const key = await home.key('demo');
    for (const [src, count] of [
      ['javascript:1', 1],
      ['javascript:2', 0],
    ] as const) {
      offered.tools = [{ name: 'draw', inputSchema: { type: 'object' }, icons: [{ src }] }];
      const served = await home.serve();
      const agent = new WireAgent(served.url, key);
      await until(async () => (await agent.tools()).length === count);
      agent.close();
      await served.stop();
    }
    const { stdout } = await home.run(['registry', 'list']);
    expect(stdout).toMatch(/draw.*drifted|drifted.*draw/);
  },
);
