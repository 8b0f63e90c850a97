import type { Settings } from '../../app/settings.ts';
import type { EXIT, ExitCode } from './exit-codes.ts';
import type { OutputFormat } from './output.ts';

/** A positional argument. */
export interface Argument {
  /** Name in help, as in `<target>`. */
  readonly name: string;
  /** Meaning, with an example; no full stop. */
  readonly description: string;
  /** True if it may be omitted. Default: required. */
  readonly optional?: true;
  /** True if it may be given several times. Only the last argument can be repeatable. */
  readonly repeatable?: true;
  /** The allowed values. Default: every value. */
  readonly choices?: readonly string[];
}

/** A flag. Without `value` it is a switch. */
export interface Flag {
  /** Name without the dashes, such as `allow-host`. */
  readonly name: string;
  /** Name of its value in help, as in `--as <agent>`; `dir` and `file` are completed as paths. */
  readonly value?: string;
  /** Effect of the flag; no full stop. */
  readonly description: string;
  /** Value in force without the flag. */
  readonly default?: string;
  /** The allowed values. Default: every value. */
  readonly choices?: readonly string[];
  /** Environment variable that sets the same value. Declared here for help; `config/` reads it. */
  readonly variable?: string;
  readonly required?: true;
  readonly repeatable?: true;
  /** True for flags that the program gives itself: help and completion omit them. */
  readonly hidden?: true;
}

/** An example in help. A test runs it. */
export interface Example {
  /** Purpose of the command line, without a full stop, such as `See why a call was refused`. */
  readonly title: string;
  /** The command line, as bash reads it. */
  readonly line: string;
  /** Exit code in the home where tests run it. Default: 0. */
  readonly exit?: ExitCode;
  /** For a command that runs until it is stopped: the test waits for this output, sends Ctrl-C and expects 130. */
  readonly runsUntil?: string;
  /**
   * Directory in which the test runs it: a copy of the checkout's example, with a short ledger and `servers.json`, the
   * config file of an agent (the default); an empty directory; or one with `.mcp.json` and nothing else.
   */
  readonly within?: 'example' | 'empty-directory' | 'project';
}

/** Input of every command beside its own arguments and flags. */
export interface CommandContext {
  /** Value of `--output`; `text` for a command without that flag. */
  readonly output: OutputFormat;
  /** The settings in force: flags before environment before defaults. @throws ProblemError `settings-invalid`. */
  readonly settings: () => Settings;
  /** Every command of the program, for completion. */
  readonly commands: readonly CommandDefinition[];
  /** Subject of each noun that has verbs. */
  readonly nouns: Readonly<Record<string, string>>;
}

/** Input of a command, with the arguments and flags that it declares. */
export interface TypedArgs<A extends readonly Argument[], F extends readonly Flag[]> extends CommandContext {
  readonly args: ArgumentValues<A[number]>;
  readonly flags: FlagValues<F[number]>;
}

/** Output of the parser, by name. A value that was not typed and has no default is absent. */
export interface ParsedArgs extends CommandContext {
  readonly args: Readonly<Record<string, unknown>>;
  readonly flags: Readonly<Record<string, unknown>>;
}

/** By name. An optional argument is present only if it was typed. */
type ArgumentValues<One extends Argument> = {
  readonly [Each in Exclude<One, OptionalArgument> as Each['name']]: Each extends Repeatable
    ? readonly string[]
    : OneOf<Each>;
} & { readonly [Each in Extract<One, OptionalArgument> as Each['name']]?: OneOf<Each> };

/** By name. A flag with a value and without a default is present only if it was typed. */
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

/** Declaration of a command. Help, the reference page, completion and the parser are made from it. */
interface CommandSpec<A extends readonly Argument[], F extends readonly Flag[]> {
  /** Noun and verb, such as `policy explain`, or a noun alone, such as `serve`. */
  readonly path: string;
  /** One line for lists of commands; begins with a verb in lower case, no full stop. */
  readonly summary: string;
  /** Description in whole sentences; an empty line begins a new paragraph. */
  readonly description: string;
  readonly arguments?: A;
  readonly flags?: F;
  /** Settings whose flags it accepts, such as `--data`. */
  readonly settings?: readonly (keyof Settings)[];
  /** True if it prints neither text nor JSON but a format of its own (MCP, a script), and has no `--output`. */
  readonly ownOutput?: true;
  /** Meanings of its exit codes. Default for 1, 2 and 130: the meanings that all commands share. */
  readonly exitCodes: { readonly yes: string } & { readonly [Name in keyof typeof EXIT]?: string };
  readonly examples: readonly [Example, ...Example[]];
}

/** A declared command with its function. */
export interface CommandDefinition extends CommandSpec<readonly Argument[], readonly Flag[]> {
  readonly arguments: readonly Argument[];
  readonly flags: readonly Flag[];
  readonly settings: readonly (keyof Settings)[];
  /** Runs the command. Prints data on standard output and messages on standard error. @throws ProblemError. */
  run(input: ParsedArgs): Promise<ExitCode>;
}

/** Declares a command. `run` receives exactly the declared arguments and flags, by name. */
export function defineCommand<const A extends readonly Argument[] = [], const F extends readonly Flag[] = []>(
  spec: CommandSpec<A, F> & { readonly run: (input: TypedArgs<A, F>) => ExitCode | Promise<ExitCode> },
): CommandDefinition {
  return {
    arguments: [],
    flags: [],
    settings: [],
    ...spec,
    // `as`: the parser was made from these very arguments and flags.
    run: async (input) => spec.run(input as unknown as TypedArgs<A, F>),
  };
}

/** Ids in examples. Tests replace them by ids of their own ledger. */
export const EXAMPLE_CALL = '01a2089b-6959-7000-a3cd-d10c8b65b659';
export const EXAMPLE_KEY = '0123456789abcdef';
