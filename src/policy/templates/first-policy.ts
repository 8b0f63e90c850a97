import { ciPolicy } from './ci.ts';
import { personalPolicy } from './personal.ts';
import { teamPolicy } from './team.ts';
import { type StarterPolicy, serverNames, type TemplateInput } from './template.ts';

export type PolicyTemplate = 'personal' | 'team' | 'ci';

/** The templates of first policies, by name, each with one line on whom it is for. */
export const POLICY_TEMPLATES: Readonly<
  Record<PolicyTemplate, { readonly what: string; readonly make: (input: TemplateInput) => StarterPolicy }>
> = {
  personal: { what: 'one agent of one person: it looks, and changes what a row names', make: personalPolicy },
  team: { what: 'several agents by role: viewer, contributor, maintainer', make: teamPolicy },
  ci: { what: 'a job that nobody watches: tools by name alone', make: ciPolicy },
};

/** The texts of a first policy by path within the policy directory: grants, and the test that says what must stay true. */
export function starterPolicyFiles(template: PolicyTemplate, input: TemplateInput): Readonly<Record<string, string>> {
  const policy = POLICY_TEMPLATES[template].make(input);
  return { 'policy.csv': policy.policy, [`tests/${input.agent}.yaml`]: renderTests(input, policy) };
}

function renderTests({ agent, tools }: TemplateInput, { may, mayNot }: StarterPolicy): string {
  const calls = (ids: readonly string[]): readonly string[] => ids.map((id) => `call ${id}`);
  const list = (key: string, actions: readonly string[]): readonly string[] =>
    actions.length === 0 ? [] : [`  ${key}:`, ...actions.map((act) => `    - ${act}`)];
  const ungranted = serverNames(tools).map((server) => `sample server:${server}`);
  return [
    '# yaml-language-server: $schema=../../registry/schema/policy-test.schema.json',
    `- as: agent:${agent}`,
    ...list('may', calls(may)),
    ...list('may_not', [...calls(mayNot), ...ungranted]),
    '',
  ].join('\n');
}
