import type { FeatureTarget } from '../domain/target.ts';
import type { View } from '../domain/view.ts';
import type { ViewName } from '../domain/view-name.ts';
import type { ServerResourceIndex } from './resource-shelf.ts';
import { buildView, type ViewSource } from './view-parts.ts';

/** The views `server:<name>`: each registered server as it is, its tools and prompts under their own names. */
export function buildServerViews(source: ViewSource): (name: ViewName) => View | undefined {
  const previous = new Map<ViewName, View>();
  return (name) => {
    const server = name.startsWith('server:') ? name.slice('server:'.length) : undefined;
    if (server === undefined || !source.servers.has(server)) return undefined;
    // Made when it is first asked for: most servers are never asked for alone.
    const view = previous.get(name) ?? buildServerView(source, server, name);
    previous.set(name, view);
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

/** The resources of a server as a view shows them. */
function resourcesInView(view: ViewName, { server, byUri, templates }: ServerResourceIndex): ServerResourceIndex {
  return {
    server,
    byUri: new Map(Array.from(byUri, ([uri, target]) => [uri, { ...target, view }])),
    templates: templates.map(({ target, template }) => ({ template, target: { ...target, view } })),
  };
}
