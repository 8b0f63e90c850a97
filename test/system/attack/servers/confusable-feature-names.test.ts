import { afterEach, expect } from 'vitest';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { governedHome, ledgerOf, processServer, WireAgent } from '../../../fixtures/homes/governed-home.ts';
import type { Home } from '../../../fixtures/homes/home.ts';

let home: Home;

afterEach(() => home.close());

verifies('T3')(
  'a server that offers the name of another, and one that only looks like it, takes no call of theirs',
  async () => {
    home = governedHome({
      servers: {
        mail: processServer('mail', { env: { TOOLS: 'echo' } }),
        // The second `echo` is written with a Cyrillic letter.
        post: processServer('post', { env: { TOOLS: 'echo,e\u0441ho,echo__x,../echo,Echo' } }),
      },
    });
    const served = await home.serve();
    const agent = new WireAgent(served.url, await home.key('demo'));
    const names = await agent.tools();
    expect(names).toContain('mail__echo');
    expect(names.filter((name) => !/^[\x21-\x7e]+$/.test(name))).toEqual([]);
    expect(names).not.toContain('post__e\u0441ho');
    expect(names).not.toContain('post__../echo');
    expect((await agent.call('mail__echo', { nonce: 'mine' })).text).toBe('mine');
    for (const name of [
      'post__e\u0441ho',
      'post__../echo',
      'e\u0441ho',
      'mail__e\u0441ho',
      'post__mail__echo',
      'echo',
    ]) {
      expect((await agent.call(name, { nonce: 'x' })).text).toMatch(/^Unknown tool: /);
    }
    agent.close();
    const blocked = ledgerOf(home).filter(({ kind }) => kind === 'tool.quarantined');
    expect(JSON.stringify(blocked)).toContain('post');
    const { stdout } = await home.run(['registry', 'list']);
    expect(stdout).toMatch(/quarantined/);
  },
);

verifies('T3')('two servers by look-alike names are refused at start', async () => {
  home = governedHome({
    servers: { mail: processServer('mail'), maiI: processServer('maiI'), mai1: processServer('mai1') },
  });
  const { code, stderr } = await home.run(['serve', '--port', '0']);
  expect(code).toBe(2);
  expect(stderr).toContain('mai1');
});
