import { test } from 'vitest';
import type { Era } from '../upstream/start.ts';
import type { AgentWire, HttpAgentWire } from '../wires/agent-wire.ts';
import { openHttpAgent } from '../wires/http-agent.ts';
import type { ServerWire } from '../wires/scripted-server.ts';
import { openServerWire } from '../wires/server-wire.ts';
import { openStdioAgent } from '../wires/stdio-agent.ts';
import { AGENT_REQUIREMENTS } from './agent-requirements.ts';
import { AGENT_STREAM_REQUIREMENTS } from './agent-stream-requirements.ts';
import { type Requirement, type Transport, WAYS } from './requirement.ts';
import { SERVER_REQUIREMENTS } from './server-requirements.ts';

type AgentRequirements = typeof AGENT_REQUIREMENTS & typeof AGENT_STREAM_REQUIREMENTS;
type AgentId = keyof AgentRequirements;
type ServerId = keyof typeof SERVER_REQUIREMENTS;
/** A requirement that holds over HTTP alone has the wire of HTTP. */
type WireOf<Id> = Id extends AgentId
  ? AgentRequirements[Id]['holds'] extends 'http' | 'legacy http' | 'modern http'
    ? HttpAgentWire
    : AgentWire
  : ServerWire;

/** Runs a test of a requirement over every transport and in every era that it holds for. `more` tells two tests apart. */
export function verifies<Id extends AgentId | ServerId>(
  id: Id,
  body: (wire: WireOf<Id>) => Promise<void>,
  more = '',
): void {
  const requirement: Requirement = ALL[id];
  const { transports, eras } = WAYS[requirement.holds];
  for (const transport of transports) {
    for (const era of eras) {
      test(`${id}${more === '' ? '' : `, ${more}`} (${transport}, ${era}): ${requirement.says}`, async () => {
        const wire = await openWire(id, transport, era);
        try {
          // `as`: the id says which of the two faces it is of, and its transports that the wire is one of HTTP.
          await body(wire as WireOf<Id>);
        } finally {
          await wire.close();
        }
      });
    }
  }
}

const ALL = { ...AGENT_REQUIREMENTS, ...AGENT_STREAM_REQUIREMENTS, ...SERVER_REQUIREMENTS };

function openWire(id: AgentId | ServerId, transport: Transport, era: Era): Promise<AgentWire | ServerWire> {
  if (Object.hasOwn(SERVER_REQUIREMENTS, id)) return openServerWire(transport, era);
  return transport === 'http' ? openHttpAgent(era) : openStdioAgent(era);
}
