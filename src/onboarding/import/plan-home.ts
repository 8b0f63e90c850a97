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

/** What a home is made of. */
export interface HomeOptions {
  readonly drafts: readonly ServerDraft[];
  readonly template: PolicyTemplate;
  /** Name of the agent. */
  readonly agent: string;
  readonly owner: string;
  /** Ids of tools, for the template that names them. */
  readonly allowedTools: readonly string[];
}

/** A home as it would be written. */
export interface HomePlan {
  /** Texts by path within the registry directory, and within the policy directory. */
  readonly registry: Readonly<Record<string, string>>;
  readonly policies: Readonly<Record<string, string>>;
  readonly proposals: readonly ServerProposal[];
  /** Why servers are not in it, one problem each. */
  readonly excluded: readonly Problem[];
}

/** Drafts that can stand in one registry, and why the others cannot. */
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
      // The place that a person can mend is where the server was found, not a file that was never written.
      for (const problem of error.problems) excluded.push({ ...problem, at: draft.source });
    }
  }
  return { usable, excluded };
}

/**
 * Starts each server once and plans the files of a home. Writes nothing. A server that cannot be asked is left out.
 * @throws ProblemError where no server is left, or a tool is named that is not there.
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
  personal: 'The agent of one person',
  team: 'The first agent of a team',
  ci: 'A job that nobody watches',
};

function rejectUnknownTools(allowedTools: readonly string[], tools: readonly TemplateTool[]): void {
  const knownTools = tools.map(({ server, tool }) => `tool:${server}/${tool}`);
  const problems = allowedTools
    .filter((id) => !knownTools.includes(id))
    .map((id): Problem => {
      const message = `no server that was asked has \`${id}\``;
      return { code: 'settings-invalid', at: '--allow', message, hint: `write one of ${knownTools.join(', ')}` };
    });
  if (problems.length > 0) throw new ProblemError(problems);
}

function noServerLeft(): Problem {
  const hint = 'mend one of them, or name another file with `--from`';
  return { code: 'init-nothing-found', at: '', message: 'no tool server can be asked; nothing was written', hint };
}

const SCHEMAS: readonly (readonly [name: string, title: string, schema: ZodType])[] = [
  ['server', 'registry/servers/*.yaml', serverSettingsSchema],
  ['agent', 'registry/agents/*.yaml', agentSettingsSchema],
  ['virtual', 'registry/virtual/*.yaml', virtualSettingsSchema],
  ['limits', 'policies/limits.yaml', limitsSettings],
  ['policy-test', 'policies/tests/*.yaml', suiteSchema],
];

/** The generated schemas that editors check the YAML files with: text by path. */
export function schemaFiles(): ReadonlyMap<string, string> {
  return new Map(
    SCHEMAS.map(([name, title, schema]) => [`registry/schema/${name}.schema.json`, editorSchemaText(schema, title)]),
  );
}
