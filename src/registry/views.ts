import type { View } from '../domain/view.ts';
import type { ViewName } from '../domain/view-name.ts';
import type { ServerFinding } from './server-finding.ts';
import { serverViews } from './server-view.ts';
import type { ToolState } from './tool-state.ts';
import type { ViewSource } from './view-parts.ts';
import { unknownOriginals } from './virtual-findings.ts';
import type { VirtualServer } from './virtual-settings.ts';
import { virtualView } from './virtual-view.ts';

/** The views of a catalog. */
export interface Views {
  readonly viewOf: (name: ViewName) => View | undefined;
  readonly findings: readonly ServerFinding[];
}

/** Builds the views of a catalog: those of virtual servers now, so that what is wrong with them is known. */
export function viewsOf(
  source: ViewSource & { readonly states: readonly ToolState[] },
  virtual: ReadonlyMap<string, VirtualServer>,
  before: ((name: ViewName) => View | undefined) | undefined,
): Views {
  const ofServers = serverViews(source);
  const ofVirtual = new Map<ViewName, View>();
  const findings: ServerFinding[] = [];
  for (const [name, server] of virtual) {
    const viewName: ViewName = `virtual:${name}`;
    const built = virtualView(source, server, before?.(viewName));
    ofVirtual.set(viewName, built.view);
    for (const finding of [...built.findings, ...unknownOriginals(server, source)]) {
      findings.push({ server: name, ...finding });
    }
  }
  return { viewOf: (name) => ofVirtual.get(name) ?? ofServers(name), findings };
}
