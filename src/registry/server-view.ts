import type { OfferedTarget } from '../domain/target.ts';
import type { View } from '../domain/view.ts';
import type { ViewName } from '../domain/view-name.ts';
import type { ResourceOffer } from './resource-shelf.ts';
import { type ViewSource, viewOf } from './view-parts.ts';

/** The views `server:<name>`: each registered server as it is, its tools and prompts under their own names. */
export function serverViews(source: ViewSource): (name: ViewName) => View | undefined {
  const known = new Map<ViewName, View>();
  return (name) => {
    const server = name.startsWith('server:') ? name.slice('server:'.length) : undefined;
    if (server === undefined || !source.servers.has(server)) return undefined;
    // Made when it is first asked for: most servers are never asked for alone.
    const view = known.get(name) ?? serverView(source, server, name);
    known.set(name, view);
    return view;
  };
}

function serverView({ targets, prompts, resourceOffers, servers }: ViewSource, server: string, view: ViewName): View {
  const isOfServer = (target: OfferedTarget): boolean => target.server === server;
  return viewOf({
    tools: targets.filter(isOfServer).map((target) => ({ ...target, view, exposedName: target.tool })),
    prompts: prompts.filter(isOfServer).map((target) => ({ ...target, view, exposedName: target.prompt })),
    resources: resourceOffers.filter((offer) => offer.server === server).map((offer) => offerIn(view, offer)),
    isComplete: servers.get(server) === 'listed',
  });
}

/** The resources of a server as a view shows them. */
function offerIn(view: ViewName, { server, byUri, templates }: ResourceOffer): ResourceOffer {
  return {
    server,
    byUri: new Map(Array.from(byUri, ([uri, target]) => [uri, { ...target, view }])),
    templates: templates.map(({ target, template }) => ({ template, target: { ...target, view } })),
  };
}
