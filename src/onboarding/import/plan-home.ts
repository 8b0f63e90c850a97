import type { ZodType } from 'zod';
import { editorSchemaText } from '../../config/schema.ts';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { defaultLimitsText } from '../../limits/load.ts';
import { limitsSettings } from '../../limits/settings.ts';
import { suiteSchema } from '../../policy/suite.ts';
import { type PolicyTemplate, starterPolicyFiles } from '../../policy/templates/starter-policy.ts';
import type { TemplateTool } from '../../policy/templates/template.ts';
import { loadRegistry } from '../../registry/load.ts';
import { LOCK_FILE, writeLock } from '../../registry/pins/lock.ts';
import { withPins } from '../../registry/pins/pin.ts';
import { agentSettingsSchema } from '../../registry/servers/agent-settings.ts';
import { renderAgentYaml } from '../../registry/servers/server-yaml.ts';
import { serverSettingsSchema } from '../../registry/servers/settings.ts';
import { virtualSettingsSchema } from '../../registry/virtual-servers/settings.ts';
import type { HomeDirectories, ProbeOptions } from '../port.ts';
import { registryTexts, serverFilePath, unreachableServer } from './add-server.ts';
import { probeDrafts } from './probe-drafts.ts';
import type { ServerDraft } from './server-draft.ts';
import { proposeServer, type ServerProposal } from './server-proposal.ts';

/** Contents of a new home. */
export interface HomeOptions {
  readonly drafts: readonly ServerDraft[];
  readonly template: PolicyTemplate;
  /** Name of the agent. */
  readonly agent: string;
  readonly owner: string;
  /** Ids of tools, for a template that grants named tools. */
  readonly allowedTools: readonly string[];
}

/** The files of a home, before they are written. */
export interface HomePlan {
  /** Text by path in the registry directory and in the policy directory. */
  readonly registry: Readonly<Record<string, string>>;
  readonly policies: Readonly<Record<string, string>>;
  readonly proposals: readonly ServerProposal[];
  /** One problem per server that is left out. */
  readonly excluded: readonly Problem[];
}

/** Selects the drafts that are valid together in one registry; the others are problems. */
export function filterDrafts(
  drafts: readonly ServerDraft[],
  dir: string,
): { readonly usable: readonly ServerDraft[]; readonly excluded: readonly Problem[] } {
  const usable: ServerDraft[] = [];
  const excluded: Problem[] = [];
  for (const draft of drafts) {
    try {
      loadRegistry(registryTexts(...usable, draft), { dir });
      usable.push(draft);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      // The person can fix the file that the server was found in, not a file that was never written.
      for (const problem of error.problems) excluded.push({ ...problem, at: draft.source });
    }
  }
  return { usable, excluded };
}

/**
 * Starts each server once and plans the files of a home. Writes nothing. A server that fails is left out.
 * @throws ProblemError if no server is left, or `allowedTools` names an unknown tool.
 */
export async function planHome(
  options: HomeOptions,
  { registry: dir }: Pick<HomeDirectories, 'registry'>,
  probeOptions: ProbeOptions,
): Promise<HomePlan> {
  const { usable, excluded } = filterDrafts(options.drafts, dir);
  const registry = loadRegistry(registryTexts(...usable), { dir });
  const results = await probeDrafts(usable, registry, probeOptions);
  const proposals = results.flatMap((result) =>
    'listed' in result ? [proposeServer(result.draft, result.listed, registry)] : [],
  );
  const failed = results.flatMap((result) => ('error' in result ? [unreachableServer(result.draft, result)] : []));
  const problems = [...excluded, ...failed];
  if (proposals.length === 0) throw new ProblemError([...problems, noServerLeft()]);
  const tools = proposals.flatMap(({ draft, tools: own }) => own.map((tool) => ({ ...tool, server: draft.name })));
  rejectUnknownTools(options.allowedTools, tools);
  return {
    registry: registryFiles(options, proposals),
    policies: {
      ...starterPolicyFiles(options.template, { agent: options.agent, tools, named: options.allowedTools }),
      'limits.yaml': defaultLimitsText(),
    },
    proposals,
    excluded: problems,
  };
}

function registryFiles(
  { agent, owner, template }: HomeOptions,
  proposals: readonly ServerProposal[],
): Readonly<Record<string, string>> {
  const schemas = Array.from(schemaFiles(), ([path, text]) => [path.replace(/^registry\//, ''), text] as const);
  const pins = withPins(
    new Map(),
    proposals.flatMap((proposal) => proposal.pins),
  );
  return {
    ...Object.fromEntries(schemas),
    ...Object.fromEntries(proposals.map(({ draft, text }) => [serverFilePath(draft.name), text])),
    [`agents/${agent}.yaml`]: renderAgentYaml({ name: agent, title: TITLES[template], owner }),
    [LOCK_FILE]: writeLock(pins),
  };
}

const TITLES: Readonly<Record<PolicyTemplate, string>> = {
  personal: 'Agent of one person',
  team: 'First agent of a team',
  ci: 'Unattended job',
};

function rejectUnknownTools(allowedTools: readonly string[], tools: readonly TemplateTool[]): void {
  const knownTools = tools.map(({ server, tool }) => `tool:${server}/${tool}`);
  const problems = allowedTools
    .filter((id) => !knownTools.includes(id))
    .map((id): Problem => {
      const message = `none of the servers has a tool \`${id}\``;
      return { code: 'settings-invalid', at: '--allow', message, hint: `write one of ${knownTools.join(', ')}` };
    });
  if (problems.length > 0) throw new ProblemError(problems);
}

function noServerLeft(): Problem {
  const hint = 'fix one of them, or name another file with `--from`';
  return { code: 'init-nothing-found', at: '', message: 'no tool server works; nothing was written', hint };
}

const SCHEMAS: readonly (readonly [name: string, title: string, schema: ZodType])[] = [
  ['server', 'registry/servers/*.yaml', serverSettingsSchema],
  ['agent', 'registry/agents/*.yaml', agentSettingsSchema],
  ['virtual', 'registry/virtual/*.yaml', virtualSettingsSchema],
  ['limits', 'policies/limits.yaml', limitsSettings],
  ['policy-test', 'policies/tests/*.yaml', suiteSchema],
];

/** The JSON Schemas by which editors check the YAML files: text by path. */
export function schemaFiles(): ReadonlyMap<string, string> {
  return new Map(
    SCHEMAS.map(([name, title, schema]) => [`registry/schema/${name}.schema.json`, editorSchemaText(schema, title)]),
  );
}
