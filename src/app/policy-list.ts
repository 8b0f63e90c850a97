import { parseAgentId } from '../domain/agent-name.ts';
import { PRIMARY_ACTION } from '../domain/call.ts';
import { ProblemError } from '../domain/problem.ts';
import { principalSubjects } from '../policy/authorize.ts';
import { type Explanation, explain } from '../policy/explain.ts';
import { accessRequestFor, type PolicyFiles, readPolicyFiles, unknownAgent } from './policy-questions.ts';
import type { Settings } from './settings.ts';

/** What an agent may do with one tool or prompt. */
export interface ToolPermission {
  /** `tool:<server>/<tool>` or `prompt:<server>/<prompt>`. */
  readonly tool: string;
  readonly effect: Explanation['effect'];
  /** The rows that decide, as `policy.csv:12`: one, those between which arguments decide, or none where no row matches. */
  readonly by: readonly string[];
  /** False where nobody has agreed to a definition yet: whatever the policy says, the tool cannot be called. */
  readonly pinned: boolean;
}

/** Everything that an agent may do. */
export interface AgentPermissions {
  /** `agent:<name>`. */
  readonly agent: string;
  readonly team: string | null;
  readonly roles: readonly string[];
  readonly tools: readonly ToolPermission[];
}

/**
 * What an agent may do with every tool that is pinned or described and every prompt that is pinned, by the evaluator
 * that decides its calls. Which URIs a resource template makes no file says, so that resources are not in it.
 * @throws ProblemError when a file does not load or the agent is not declared.
 */
export function listPermissions(settings: Settings, agent: string): AgentPermissions {
  return permissionsOf(readPolicyFiles(settings), parseAgentId(agent));
}

/** As above, of files that were read. */
export function permissionsOf({ rules, known, pinned }: PolicyFiles, agent: `agent:${string}`): AgentPermissions {
  const principal = known.principalOf(agent);
  if (!principal) throw new ProblemError([unknownAgent(agent, known)]);
  const { policySet } = rules;
  const ids = known.tools.filter((id) => !id.startsWith('resource:')).sort();
  const tools = ids.map((tool): ToolPermission => {
    const action = PRIMARY_ACTION[tool.startsWith('prompt:') ? 'prompt' : 'tool'];
    const about = { principal, agent, object: tool, action };
    const explanation = explain(policySet, accessRequestFor(rules, known, about));
    return { tool, effect: explanation.effect, by: decidingRows(explanation), pinned: pinned.has(tool) };
  });
  const team = principal.team === undefined ? {} : { team: principal.team };
  const subjects = principalSubjects(policySet, { id: agent, ...team });
  return {
    agent,
    team: principal.team ?? null,
    roles: subjects.filter((subject) => subject.startsWith('role:')),
    tools,
  };
}

function decidingRows({ effect, rule, rows }: Explanation): readonly string[] {
  if (effect !== 'depends-on-arguments') return rule === undefined ? [] : [rule];
  // A condition that is known to fail decides nothing, whatever the arguments are.
  return rows.filter(({ conditionResult }) => conditionResult !== 'false').map(({ at }) => at);
}
