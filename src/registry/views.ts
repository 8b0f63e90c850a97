import type { View } from '../domain/view.ts';
import type { ViewName } from '../domain/view-name.ts';
import type { ServerWarning } from './server-finding.ts';
import { buildServerViews } from './server-view.ts';
import type { ToolState } from './tool-state.ts';
import type { ViewSource } from './view-parts.ts';
import { findUnknownReferences } from './virtual-findings.ts';
import type { VirtualServer } from './virtual-settings.ts';
import { buildVirtualView } from './virtual-view.ts';

/** The views of a catalog. */
export interface Views {
  readonly viewOf: (name: ViewName) => View | undefined;
  readonly findings: readonly ServerWarning[];
}

/** Builds the views of a catalog: those of virtual servers now, so that what is wrong with them is known. */
export function buildViews(
  source: ViewSource & { readonly states: readonly ToolState[] },
  virtual: ReadonlyMap<string, VirtualServer>,
  previous: ((name: ViewName) => View | undefined) | undefined,
): Views {
  const serverViews = buildServerViews(source);
  const virtualViews = new Map<ViewName, View>();
  const findings: ServerWarning[] = [];
  for (const [name, server] of virtual) {
    const viewName: ViewName = `virtual:${name}`;
    const built = buildVirtualView(source, server, previous?.(viewName));
    virtualViews.set(viewName, built.view);
    for (const finding of [...built.findings, ...findUnknownReferences(server, source)]) {
      findings.push({ server: name, ...finding });
    }
  }
  return { viewOf: (name) => virtualViews.get(name) ?? serverViews(name), findings };
}
