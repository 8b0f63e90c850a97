import { join } from 'node:path';
import type { Settings } from '../../app/settings.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import type { HomePlan } from '../../onboarding/import/plan-home.ts';
import { exportsText, serverProposalJson } from './server-proposal.ts';

/** Every file of a home by its path, in the order of the paths. */
function homeFiles(
  { registry, policies }: HomePlan,
  settings: Settings,
): readonly (readonly [path: string, text: string])[] {
  return [
    ...Object.entries(registry).map(([path, text]) => [join(settings.registry, path), text] as const),
    ...Object.entries(policies).map(([path, text]) => [join(settings.policies, path), text] as const),
  ].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** How many files a home has. */
export function fileCount({ registry, policies }: HomePlan): number {
  return Object.keys(registry).length + Object.keys(policies).length;
}

/** Every file with its text, but for those that nobody reads: the generated schemas and the pinned definitions. */
export function homePlanText(plan: HomePlan, settings: Settings): string {
  return homeFiles(plan, settings)
    .map(([path, text]) =>
      /\.schema\.json$|registry\.lock$/.test(path)
        ? `--- ${path} (generated, ${text.length} characters)`
        : `--- ${path}\n${text}`,
    )
    .join('\n');
}

/** A home for programs. */
export function homeJson(
  plan: HomePlan,
  settings: Settings,
  { withTexts }: { readonly withTexts: boolean },
): JsonObject {
  return {
    files: homeFiles(plan, settings).map(([path, text]) => (withTexts ? { path, text } : path)),
    servers: plan.proposals.map(serverProposalJson),
    leftOut: plan.excluded.map((problem) => ({ ...problem })),
  };
}

/** What to type next. */
export function nextCommands({ proposals }: HomePlan, agent: string): string {
  const exports = exportsText(proposals.map(({ draft }) => draft));
  return [
    ...(exports === ''
      ? []
      : ['', 'Set where the broker is started, and take the secrets out of the files they stood in:', exports]),
    '',
    'Look at the proposed risks in registry/servers/ and at the grants in policies/policy.csv. Then:',
    `  seneschal serve --first-key ${agent}          # govern`,
    '  seneschal connect claude-code             # put Seneschal in front of an agent',
    `  seneschal policy explain --as agent:${agent} call tool:<server>/<tool>`,
  ].join('\n');
}
