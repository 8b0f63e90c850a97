import type { Settings } from '../../app/settings.ts';
import type { EXIT, ExitCode } from './exit-codes.ts';
import type { OutputFormat } from './output.ts';

/** An argument by its place. */
export interface Argument {
  /** What help calls it, as in `<target>`. */
  readonly name: string;
  /** What it is, with an example; no full stop. */
  readonly description: string;
  /** It may be left out. Default: it must be given. */
  readonly optional?: true;
  /** It may be given several times; the last argument alone. */
  readonly repeatable?: true;
  /** The only values that are allowed. */
  readonly choices?: readonly string[];
}

/** A flag. Without `value` it is a switch. */
export interface Flag {
  /** Its name without the dashes, such as `allow-host`. */
  readonly name: string;
  /** What help calls its value, as in `--as <agent>`; `dir` and `file` are completed as such. */
  readonly value?: string;
  /** What it does; no full stop. */
  readonly description: string;
  /** The value in force without the flag. */
  readonly default?: string;
  /** The only values that are allowed. */
  readonly choices?: readonly string[];
  /** The environment variable that sets it too. It is only told here: `config/` reads it. */
  readonly variable?: string;
  readonly required?: true;
  readonly repeatable?: true;
  /** For the program's own use: neither help nor completion names it. */
  readonly hidden?: true;
}

/** A command line that does what somebody may wish for. A test runs it. */
export interface Example {
  /** What the person wants, as a sentence without a full stop, such as `See why a call was refused`. */
  readonly title: string;
  /** What they type, on one line, as bash reads it. */
  readonly line: string;
  /** How it ends in the home where tests run it. Default: 0. */
  readonly exit?: ExitCode;
  /** It runs until it is stopped: the test waits until it has printed this text, and ends it as Ctrl-C does, with 130. */
  readonly runsUntil?: string;
  /**
   * Where the test runs it: in a copy of the checkout's example, with a short history in its ledger and `servers.json`,
   * the config file of an agent (the default); in an empty directory; or in one that holds `.mcp.json` and nothing else.
   */
  readonly within?: 'example' | 'empty-directory' | 'project';
}

/** What every command is handed, whatever its words are. */
export interface CommandContext {
  /** What `--output` says; `text` for a command that has no such flag. */
  readonly output: OutputFormat;
  /** The settings in force: flags before environment before defaults. @throws ProblemError `settings-invalid`. */
  readonly settings: () => Settings;
  /** Every command there is, for those that speak of commands. */
  readonly commands: readonly CommandDefinition[];
  /** What each noun that has verbs is about. */
  readonly nouns: Readonly<Record<string, string>>;
}

/** What a command is handed: its words, typed as it declares them. */
export interface TypedArgs<A extends readonly Argument[], F extends readonly Flag[]> extends CommandContext {
  readonly args: ArgumentValues<A[number]>;
  readonly flags: FlagValues<F[number]>;
}

/** What the parser found, by name; what was not typed and has no default is not there. */
export interface ParsedArgs extends CommandContext {
  readonly args: Readonly<Record<string, unknown>>;
  readonly flags: Readonly<Record<string, unknown>>;
}

/** By name; what may be left out is there only where it was typed. */
type ArgumentValues<One extends Argument> = {
  readonly [Each in Exclude<One, OptionalArgument> as Each['name']]: Each extends Repeatable
    ? readonly string[]
    : OneOf<Each>;
} & { readonly [Each in Extract<One, OptionalArgument> as Each['name']]?: OneOf<Each> };

/** By name; a flag with a value, without a default, is there only where it was typed. */
type FlagValues<One extends Flag> = {
  readonly [Each in Exclude<One, OptionalFlag> as Each['name']]: Each extends Repeatable
    ? readonly string[]
    : Each extends { value: string }
      ? OneOf<Each>
      : boolean;
} & { readonly [Each in Extract<One, OptionalFlag> as Each['name']]?: OneOf<Each> };

type Repeatable = { readonly repeatable: true };
type OptionalArgument = { readonly optional: true; readonly repeatable?: never };
type OptionalFlag = { readonly value: string } & {
  readonly [Never in 'required' | 'default' | 'repeatable']?: never;
};
type OneOf<One> = One extends { choices: readonly (infer Choice)[] } ? Choice : string;

/** What is said of a command: its help, its page of the reference, its completion and its parser are made from this. */
interface CommandSpec<A extends readonly Argument[], F extends readonly Flag[]> {
  /** Noun and verb, such as `policy explain`; a noun alone is a command too, such as `serve`. */
  readonly path: string;
  /** One line for lists of commands; begins with a verb in lower case, no full stop. */
  readonly summary: string;
  /** What it does, in whole sentences; an empty line begins a new paragraph. */
  readonly description: string;
  readonly arguments?: A;
  readonly flags?: F;
  /** The settings whose flags it takes, such as `--data`. */
  readonly settings?: readonly (keyof Settings)[];
  /** It prints neither text nor JSON but something of its own (MCP, a script), and has no `--output`. */
  readonly ownOutput?: true;
  /** What its exit codes mean. What is left out of 1, 2 and 130 is said in the words of all commands. */
  readonly exitCodes: { readonly yes: string } & { readonly [Name in keyof typeof EXIT]?: string };
  readonly examples: readonly [Example, ...Example[]];
}

/** A command as the program knows it. */
export interface CommandDefinition extends CommandSpec<readonly Argument[], readonly Flag[]> {
  readonly arguments: readonly Argument[];
  readonly flags: readonly Flag[];
  readonly settings: readonly (keyof Settings)[];
  /** Does it. Prints data on standard output, talk on standard error. @throws ProblemError for what it cannot do. */
  run(input: ParsedArgs): Promise<ExitCode>;
}

/** Declares a command. `run` is handed exactly the arguments and flags that are declared, under their names. */
export function defineCommand<const A extends readonly Argument[] = [], const F extends readonly Flag[] = []>(
  spec: CommandSpec<A, F> & { readonly run: (input: TypedArgs<A, F>) => ExitCode | Promise<ExitCode> },
): CommandDefinition {
  return {
    ...{ arguments: [], flags: [], settings: [] },
    ...spec,
    // `as`: the parser was made from these very arguments and flags.
    run: async (input) => spec.run(input as unknown as TypedArgs<A, F>),
  };
}

/** Ids that examples name. Only a ledger of one's own knows real ones, so tests put those in their place. */
export const EXAMPLE_CALL = '01a2089b-6959-7000-a3cd-d10c8b65b659';
export const EXAMPLE_KEY = '0123456789abcdef';
