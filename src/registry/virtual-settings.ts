import type { YamlPath } from '../config/yaml-file.ts';
import type { JsonObject } from '../lib/json.ts';

/** What a virtual server says of one thing that it shows. */
export interface Override {
  readonly title?: string;
  readonly description?: string;
  /** Arguments that every call gets and that no agent sees or gives; of tools only. */
  readonly fixed?: JsonObject;
}

/** Which things of a kind are shown: those that `include` or `rename` names and `exclude` does not. */
export interface Selection {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** Tools or prompts of a virtual server; originals are `<server>/<name>`. */
export interface NamedSelection extends Selection {
  /** Original by the name under which it is shown. */
  readonly rename: ReadonlyMap<string, string>;
  /** By original. */
  readonly override: ReadonlyMap<string, Override>;
}

/** One virtual server, as its file declares it. */
export interface VirtualSettings {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly tools: NamedSelection;
  readonly prompts: NamedSelection;
  readonly resources: Selection;
}

/** A virtual server, and where its settings stand. */
export interface VirtualServer {
  readonly settings: VirtualSettings;
  /** `file:line:column` of a setting. */
  readonly at: (path: YamlPath) => string;
  /** `file:line:column` of the key of a setting. */
  readonly keyAt: (path: YamlPath) => string;
}
