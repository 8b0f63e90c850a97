import type { Catalog } from '../registry/catalog.ts';
import type { ToolState } from '../registry/tool-state.ts';
import type { Log } from '../telemetry/log.ts';
import type { Journal } from './journal.ts';

/** Says and records once of each tool that is kept from being called, until it stands differently. */
export class ToolAlarms {
  readonly #parts: { readonly log: Log; readonly journal: Journal };
  #told: ReadonlyMap<string, string> = new Map();

  constructor(parts: { readonly log: Log; readonly journal: Journal }) {
    this.#parts = parts;
  }

  /** Compares a catalog with what was told before. */
  async tell(catalog: Catalog): Promise<void> {
    const told = new Map<string, string>();
    const unpinned = new Map<string, string[]>();
    for (const state of catalog.states) {
      if (state.status === 'active' || state.status === 'missing') continue;
      const name = state.id;
      const standing = `${state.status} ${state.observedDigest ?? ''} ${state.reason ?? ''}`;
      told.set(name, standing);
      if (this.#told.get(name) === standing) continue;
      if (state.status === 'unpinned')
        unpinned.set(state.server, [
          ...(unpinned.get(state.server) ?? []),
          state.kind === 'tool' ? state.tool : state.id,
        ]);
      else await this.#alarm(state);
    }
    this.#told = told;
    for (const [server, tools] of unpinned) await this.#alarmUnpinned(server, tools);
  }

  /** A server that nobody has pinned yet is one alarm, however many tools it has. */
  async #alarmUnpinned(server: string, tools: readonly string[]): Promise<void> {
    const hint = `seneschal registry pin ${server}`;
    this.#parts.log.warn('tool.quarantined', { server, status: 'unpinned', tools: tools.length, hint });
    const named = tools.slice(0, 200);
    await this.#parts.journal.note({
      kind: 'tool.quarantined',
      status: 'unpinned',
      server,
      count: tools.length,
      tools: named,
    });
  }

  async #alarm({ id, status, reason = '', agreedDigest, observedDigest }: ToolState): Promise<void> {
    const isDrift = status === 'drifted' || status === 'pin-corrupt';
    const fields = { tool: id, status, reason };
    this.#parts.log.warn(isDrift ? 'tool.drifted' : 'tool.quarantined', fields);
    const told = {
      ...fields,
      ...(agreedDigest === undefined ? {} : { agreedDigest }),
      ...(observedDigest === undefined ? {} : { observedDigest }),
    };
    await this.#parts.journal.note(isDrift ? { kind: 'tool.drifted', ...told } : { kind: 'tool.quarantined', ...told });
  }
}
