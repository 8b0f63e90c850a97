import { join } from 'node:path';
import type { HomeDirectories, OnboardingPort, PolicyCheck } from '../onboarding/port.ts';
import type { NewPin } from '../registry/pins/pin.ts';
import { pinnedId, readPinKey } from '../registry/pins/pinned-kind.ts';
import { runAdmin } from './admin/run-admin.ts';
import { type CoreOptions, composeCore } from './compose.ts';
import { checkPolicyFiles, runPolicyTests } from './queries/policy.ts';
import { discoverServers } from './runtime/discover-servers.ts';
import { homeOf, type Settings } from './settings.ts';

/** The operations of the broker that onboarding uses, for one set of settings. */
export function onboardingPort(settings: Settings, options: CoreOptions): OnboardingPort {
  return {
    discoverServers: (registry, { env, signal }) =>
      discoverServers(registry, {
        registryDir: settings.registry,
        home: homeOf(settings),
        version: options.version,
        env,
        signal,
      }),
    pinServer: ({ name, agreed }, { env, signal }) =>
      runAdmin({ method: 'registry.pin', params: { server: name, agreed }, signal }, settings, { ...options, env }),
    checkPolicies: (directories) => checkPolicies(settings, directories),
    recordServers: (servers) => recordServers(servers, settings, options),
  };
}

function checkPolicies(settings: Settings, directories: HomeDirectories): PolicyCheck {
  // A new home has no stored pins: the data directory of another home must not be read.
  const newHome: Settings = { ...settings, ...directories, data: join(directories.registry, '.none') };
  const { checked, failures } = runPolicyTests(newHome);
  return { checked, failures, warnings: failures.length > 0 ? [] : checkPolicyFiles(newHome) };
}

async function recordServers(
  servers: readonly { readonly name: string; readonly pins: readonly NewPin[] }[],
  settings: Settings,
  options: CoreOptions,
): Promise<void> {
  const by = `os-user:${process.getuid?.() ?? 0}`;
  const core = await composeCore(settings, options);
  try {
    for (const { name, pins } of servers) {
      await core.systemEvents.recordOrThrow({ kind: 'server.added', by, server: name, tools: pins.length });
      for (const { server, tool, digest } of pins) {
        const id = pinnedId(server, readPinKey(tool));
        await core.systemEvents.recordOrThrow({ kind: 'tool.pinned', by, tool: id, to: digest });
      }
    }
  } finally {
    await core.close('after init');
  }
}
