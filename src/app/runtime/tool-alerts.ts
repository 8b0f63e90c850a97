import type { Catalog } from '../../registry/catalog.ts';
import type { ToolState } from '../../registry/features/tool-status.ts';
import type { Log } from '../../telemetry/log.ts';
import type { SystemEvents } from './system-events.ts';

/** Logs and records each blocked tool once, and again when its status changes. */
export class ToolAlerts {
  readonly #deps: { readonly log: Log; readonly systemEvents: SystemEvents };
  #reported: ReadonlyMap<string, string> = new Map();

  constructor(deps: { readonly log: Log; readonly systemEvents: SystemEvents }) {
    this.#deps = deps;
  }

  /** Reports what is new in a catalog since the last one. */
  async update(catalog: Catalog): Promise<void> {
    const reported = new Map<string, string>();
    const unpinned = new Map<string, string[]>();
    for (const state of catalog.states) {
      if (state.status === 'active' || state.status === 'missing') continue;
      const name = state.id;
      const signature = `${state.status} ${state.observedDigest ?? ''} ${state.reason ?? ''}`;
      reported.set(name, signature);
      if (this.#reported.get(name) === signature) continue;
      if (state.status === 'unpinned')
        unpinned.set(state.server, [
          ...(unpinned.get(state.server) ?? []),
          state.kind === 'tool' ? state.tool : state.id,
        ]);
      else await this.#report(state);
    }
    this.#reported = reported;
    for (const [server, tools] of unpinned) await this.#reportUnpinned(server, tools);
  }

  /** Reports a server without pins once, not once for each of its tools. */
  async #reportUnpinned(server: string, tools: readonly string[]): Promise<void> {
    const hint = `seneschal registry pin ${server}`;
    this.#deps.log.warn('tool.quarantined', { server, status: 'unpinned', tools: tools.length, hint });
    const listedTools = tools.slice(0, 200);
    await this.#deps.systemEvents.record({
      kind: 'tool.quarantined',
      status: 'unpinned',
      server,
      count: tools.length,
      tools: listedTools,
    });
  }

  async #report({ id, status, reason = '', agreedDigest, observedDigest }: ToolState): Promise<void> {
    const isDrift = status === 'drifted' || status === 'pin-corrupt';
    const fields = { tool: id, status, reason };
    this.#deps.log.warn(isDrift ? 'tool.drifted' : 'tool.quarantined', fields);
    const details = {
      ...fields,
      ...(agreedDigest === undefined ? {} : { agreedDigest }),
      ...(observedDigest === undefined ? {} : { observedDigest }),
    };
    await this.#deps.systemEvents.record(
      isDrift ? { kind: 'tool.drifted', ...details } : { kind: 'tool.quarantined', ...details },
    );
  }
}
