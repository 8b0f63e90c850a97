import { ciPolicy } from './ci.ts';
import { personalPolicy } from './personal.ts';
import { teamPolicy } from './team.ts';
import { type FirstPolicy, serversOf, type TemplateInput } from './template.ts';

export type PolicyTemplate = 'personal' | 'team' | 'ci';

/** The templates of first policies, by name, each with one line on whom it is for. */
export const POLICY_TEMPLATES: Readonly<
  Record<PolicyTemplate, { readonly what: string; readonly make: (input: TemplateInput) => FirstPolicy }>
> = {
  personal: { what: 'one agent of one person: it looks, and changes what a row names', make: personalPolicy },
  team: { what: 'several agents by role: viewer, contributor, maintainer', make: teamPolicy },
  ci: { what: 'a job that nobody watches: tools by name alone', make: ciPolicy },
};

/** The texts of a first policy by path within the policy directory: grants, and the test that says what must stay true. */
export function firstPolicyFiles(template: PolicyTemplate, input: TemplateInput): Readonly<Record<string, string>> {
  const made = POLICY_TEMPLATES[template].make(input);
  return { 'policy.csv': made.policy, [`tests/${input.agent}.yaml`]: testText(input, made) };
}

function testText({ agent, tools }: TemplateInput, { may, mayNot }: FirstPolicy): string {
  const calls = (ids: readonly string[]): readonly string[] => ids.map((id) => `call ${id}`);
  const list = (key: string, acts: readonly string[]): readonly string[] =>
    acts.length === 0 ? [] : [`  ${key}:`, ...acts.map((act) => `    - ${act}`)];
  const unasked = serversOf(tools).map((server) => `sample server:${server}`);
  return [
    '# yaml-language-server: $schema=../../registry/schema/policy-test.schema.json',
    `- as: agent:${agent}`,
    ...list('may', calls(may)),
    ...list('may_not', [...calls(mayNot), ...unasked]),
    '',
  ].join('\n');
}
