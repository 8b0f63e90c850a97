import type { Risk } from '../../domain/target.ts';
import { type Digest, digestOfJson } from '../../lib/digest.ts';
import { buildCatalog, type ListedServer } from '../../registry/catalog.ts';
import { inferRisk } from '../../registry/features/risk-inference.ts';
import type { ToolState } from '../../registry/features/tool-status.ts';
import type { Registry } from '../../registry/load.ts';
import type { NewPin } from '../../registry/pins/pin.ts';
import { readPinKey } from '../../registry/pins/pinned-kind.ts';
import { renderServerYaml } from '../../registry/servers/server-yaml.ts';
import { admitTool } from '../../validation/input.ts';
import type { ServerDraft } from './server-draft.ts';

/** A tool with its proposed risk and the reason for it. */
export interface ProposedTool {
  readonly tool: string;
  readonly risk: Risk;
  readonly why: string;
}

/** A tool, prompt or resource template that is not admitted, and why. */
export interface QuarantinedTool {
  /** Name of a tool; id of a prompt or resource template. */
  readonly tool: string;
  readonly reason: string;
}

/** A server with its listed features, for a person to agree to. */
export interface ServerProposal {
  readonly draft: ServerDraft;
  readonly tools: readonly ProposedTool[];
  /** Ids of its prompts and resource templates. */
  readonly others: readonly string[];
  readonly quarantined: readonly QuarantinedTool[];
  /** The definitions that an agreement pins. */
  readonly pins: readonly NewPin[];
  /** Text of the server's file. */
  readonly text: string;
}

/** Admits or quarantines each listed feature as the broker would. `registry` holds the server. */
export function proposeServer(draft: ServerDraft, listed: ListedServer, registry: Registry): ServerProposal {
  const none = new Map();
  const { states } = buildCatalog({
    registry,
    lock: none,
    pins: none,
    admit: admitTool,
    discovered: new Map([[draft.name, listed]]),
  });
  const own = states.filter(({ server }) => server === draft.name);
  const pins = own.flatMap(toPins);
  const tools = pins
    .filter((pin) => readPinKey(pin.tool).kind === 'tool')
    .map(({ tool, definition }) => ({ tool, ...inferRisk(definition) }));
  return {
    draft,
    tools,
    pins,
    others: own.flatMap((state) => (state.kind === 'tool' ? [] : toPins(state).map(() => state.id))),
    quarantined: own.flatMap(({ kind, tool, id, status, reason = '' }) =>
      status === 'quarantined' ? [{ tool: kind === 'tool' ? tool : id, reason }] : [],
    ),
    text: renderServerYaml({ ...draft, tools }),
  };
}

/** One digest of all definitions. It proves that the pinned definitions are those a person saw. */
export function pinsDigest(pins: readonly Pick<NewPin, 'tool' | 'digest'>[]): Digest {
  return digestOfJson(Object.fromEntries(pins.map(({ tool, digest }) => [tool, digest])));
}

function toPins({ server, key, status, observed, observedDigest }: ToolState): readonly NewPin[] {
  return status === 'quarantined' || observed === undefined || observedDigest === undefined
    ? []
    : [{ server, tool: key, digest: observedDigest, definition: observed }];
}
