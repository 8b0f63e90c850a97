import { join } from 'node:path';
import type { Settings } from '../../app/settings.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import type { HomePlan } from '../../onboarding/import/plan-home.ts';
import { exportsText, serverProposalJson } from './server-proposal.ts';

/** The files of a home, sorted by path. */
function homeFiles(
  { registry, policies }: HomePlan,
  settings: Settings,
): readonly (readonly [path: string, text: string])[] {
  return [
    ...Object.entries(registry).map(([path, text]) => [join(settings.registry, path), text] as const),
    ...Object.entries(policies).map(([path, text]) => [join(settings.policies, path), text] as const),
  ].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Number of files of a home. */
export function fileCount({ registry, policies }: HomePlan): number {
  return Object.keys(registry).length + Object.keys(policies).length;
}

/** Formats every file with its text; generated schemas and the lock, which people do not read, only by their size. */
export function homePlanText(plan: HomePlan, settings: Settings): string {
  return homeFiles(plan, settings)
    .map(([path, text]) =>
      /\.schema\.json$|registry\.lock$/.test(path)
        ? `--- ${path} (generated, ${text.length} characters)`
        : `--- ${path}\n${text}`,
    )
    .join('\n');
}

/** The JSON form of a home. */
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

/** Formats the next steps: variables to export, files to review, commands to run. */
export function nextCommands({ proposals }: HomePlan, agent: string): string {
  const exports = exportsText(proposals.map(({ draft }) => draft));
  return [
    ...(exports === ''
      ? []
      : ['', 'Export these where you start the broker, and remove the secrets from the config files:', exports]),
    '',
    'Review the proposed risks in registry/servers/ and the grants in policies/policy.csv. Then run:',
    `  seneschal serve --first-key ${agent}          # start the broker and print a key`,
    '  seneschal connect claude-code             # connect an agent host',
    `  seneschal policy explain --as agent:${agent} call tool:<server>/<tool>   # see why a call is allowed or denied`,
  ].join('\n');
}
