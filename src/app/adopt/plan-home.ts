import { type Problem, ProblemError } from '../../domain/problem.ts';
import { firstLimitsText } from '../../limits/first-limits.ts';
import { firstPolicyFiles, type PolicyTemplate } from '../../policy/templates/first-policy.ts';
import type { TemplateTool } from '../../policy/templates/template.ts';
import { agentText } from '../../registry/agent-text.ts';
import { loadRegistry } from '../../registry/load.ts';
import { LOCK_FILE, writeLock } from '../../registry/lock.ts';
import { withPins } from '../../registry/pin.ts';
import { schemaFiles } from '../schema-files.ts';
import { homeOf, type Settings } from '../settings.ts';
import { fileOf, filesOf, type Looking, unanswered } from './add-server.ts';
import { askDrafts } from './ask-drafts.ts';
import type { ServerDraft } from './draft.ts';
import { proposeServer, type ServerProposal } from './proposal.ts';

/** What a home is made of. */
export interface HomeWishes {
  readonly drafts: readonly ServerDraft[];
  readonly template: PolicyTemplate;
  /** Name of the agent. */
  readonly agent: string;
  readonly owner: string;
  /** Ids of tools, for the template that names them. */
  readonly named: readonly string[];
}

/** A home as it would be written. */
export interface HomePlan {
  /** Texts by path within the registry directory, and within the policy directory. */
  readonly registry: Readonly<Record<string, string>>;
  readonly policies: Readonly<Record<string, string>>;
  readonly proposals: readonly ServerProposal[];
  /** Why servers are not in it, one problem each. */
  readonly leftOut: readonly Problem[];
}

/** Drafts that can stand in one registry, and why the others cannot. */
export function fitDrafts(
  drafts: readonly ServerDraft[],
  dir: string,
): { readonly fit: readonly ServerDraft[]; readonly leftOut: readonly Problem[] } {
  const fit: ServerDraft[] = [];
  const leftOut: Problem[] = [];
  for (const draft of drafts) {
    try {
      loadRegistry(filesOf(...fit, draft), { dir });
      fit.push(draft);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      // The place that a person can mend is where the server was found, not a file that was never written.
      for (const problem of error.problems) leftOut.push({ ...problem, at: draft.from });
    }
  }
  return { fit, leftOut };
}

/**
 * Starts each server once and plans the files of a home. Writes nothing. A server that cannot be asked is left out.
 * @throws ProblemError where no server is left, or a tool is named that is not there.
 */
export async function planHome(wishes: HomeWishes, settings: Settings, how: Looking): Promise<HomePlan> {
  const { fit, leftOut } = fitDrafts(wishes.drafts, settings.registry);
  const registry = loadRegistry(filesOf(...fit), { dir: settings.registry });
  const asking = { registryDir: settings.registry, home: homeOf(settings), ...how };
  const answers = await askDrafts(fit, registry, asking);
  const proposals = answers.flatMap((answer) =>
    'listed' in answer ? [proposeServer(answer.draft, answer.listed, registry)] : [],
  );
  const failed = answers.flatMap((answer) => ('error' in answer ? [unanswered(answer.draft, answer)] : []));
  const problems = [...leftOut, ...failed];
  if (proposals.length === 0) throw new ProblemError([...problems, nothingLeft()]);
  const tools = proposals.flatMap(({ draft, tools: own }) => own.map((tool) => ({ ...tool, server: draft.name })));
  refuseUnknown(wishes.named, tools);
  return {
    registry: registryFiles(wishes, proposals),
    policies: {
      ...firstPolicyFiles(wishes.template, { agent: wishes.agent, tools, named: wishes.named }),
      'limits.yaml': firstLimitsText(),
    },
    proposals,
    leftOut: problems,
  };
}

function registryFiles(
  { agent, owner, template }: HomeWishes,
  proposals: readonly ServerProposal[],
): Readonly<Record<string, string>> {
  const schemas = Array.from(schemaFiles(), ([path, text]) => [path.replace(/^registry\//, ''), text] as const);
  const pins = withPins(
    new Map(),
    proposals.flatMap((proposal) => proposal.pins),
  );
  return {
    ...Object.fromEntries(schemas),
    ...Object.fromEntries(proposals.map(({ draft, text }) => [fileOf(draft.name), text])),
    [`agents/${agent}.yaml`]: agentText({ name: agent, title: TITLES[template], owner }),
    [LOCK_FILE]: writeLock(pins),
  };
}

const TITLES: Readonly<Record<PolicyTemplate, string>> = {
  personal: 'The agent of one person',
  team: 'The first agent of a team',
  ci: 'A job that nobody watches',
};

function refuseUnknown(named: readonly string[], tools: readonly TemplateTool[]): void {
  const known = tools.map(({ server, tool }) => `tool:${server}/${tool}`);
  const problems = named
    .filter((id) => !known.includes(id))
    .map((id): Problem => {
      const message = `no server that was asked has \`${id}\``;
      return { code: 'settings-invalid', at: '--allow', message, hint: `write one of ${known.join(', ')}` };
    });
  if (problems.length > 0) throw new ProblemError(problems);
}

function nothingLeft(): Problem {
  const hint = 'mend one of them, or name another file with `--from`';
  return { code: 'init-nothing-found', at: '', message: 'no tool server can be asked; nothing was written', hint };
}
