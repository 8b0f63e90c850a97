import type { FeatureTarget, ViewName } from '../domain/target.ts';
import type { View } from '../domain/view.ts';
import type { ServerResourceIndex, ServerWarning } from './features/resource-index.ts';
import type { ToolState } from './features/tool-status.ts';
import { buildView, type ViewSource } from './features/view.ts';
import { buildVirtualView } from './virtual-servers/build.ts';
import { findUnknownReferences } from './virtual-servers/references.ts';
import type { VirtualServer } from './virtual-servers/settings.ts';

/** The views of a catalog, and warnings about virtual servers. */
export interface Views {
  readonly viewOf: (name: ViewName) => View | undefined;
  readonly findings: readonly ServerWarning[];
}

/** Builds the views of a catalog. Views of virtual servers are built now, to report their problems. */
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

/** The views `server:<name>`: each registered server with its own tool and prompt names. Built on first use. */
export function buildServerViews(source: ViewSource): (name: ViewName) => View | undefined {
  const built = new Map<ViewName, View>();
  return (name) => {
    const server = name.startsWith('server:') ? name.slice('server:'.length) : undefined;
    if (server === undefined || !source.servers.has(server)) return undefined;
    const view = built.get(name) ?? buildServerView(source, server, name);
    built.set(name, view);
    return view;
  };
}

function buildServerView(
  { targets, prompts, resourceLists, servers }: ViewSource,
  server: string,
  view: ViewName,
): View {
  const isOfServer = (target: FeatureTarget): boolean => target.server === server;
  return buildView({
    tools: targets.filter(isOfServer).map((target) => ({ ...target, view, exposedName: target.tool })),
    prompts: prompts.filter(isOfServer).map((target) => ({ ...target, view, exposedName: target.prompt })),
    resources: resourceLists.filter((list) => list.server === server).map((list) => resourcesInView(view, list)),
    isComplete: servers.get(server) === 'listed',
  });
}

/** The resources of a server in a view. */
function resourcesInView(view: ViewName, { server, byUri, templates }: ServerResourceIndex): ServerResourceIndex {
  return {
    server,
    byUri: new Map(Array.from(byUri, ([uri, target]) => [uri, { ...target, view }])),
    templates: templates.map(({ target, template }) => ({ template, target: { ...target, view } })),
  };
}
