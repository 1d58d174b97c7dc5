import { type Argument, type Command, Help, type Option } from 'commander'

/** What lnetctl can be told, for those who write about it: its man page and its completions are made of this. */
export interface ProgramDescription extends CommandDescription {
  /** Without those that help finds by itself (`help`), and without the hidden ones. */
  readonly commands: readonly CommandDescription[]
}

export interface CommandDescription {
  readonly name: string
  readonly summary: string
  readonly arguments: readonly ArgumentDescription[]
  readonly options: readonly OptionDescription[]
}

export interface ArgumentDescription {
  readonly name: string
  readonly summary: string
  readonly isRequired: boolean
}

export interface OptionDescription {
  /** As it is typed, such as `--config`. */
  readonly long: string
  readonly short: string | null
  readonly summary: string
  /** What follows it, with its brackets: `<path>`, or `[seconds]` when it may be left out. Null: nothing does. */
  readonly value: string | null
  readonly preset: string | null
}

/** Everything `--help` would show, as a value. */
export function describeProgram(program: Command): ProgramDescription {
  const help = new Help()
  const commands = help.visibleCommands(program).filter(command => command.name() !== 'help')
  return {
    ...describeCommand(help, program),
    commands: commands.map(command => describeCommand(help, command)),
  }
}

function describeCommand(help: Help, command: Command): CommandDescription {
  return {
    name: command.name(),
    summary: command.description(),
    arguments: command.registeredArguments.map(describeArgument),
    options: help.visibleOptions(command).flatMap(describeOption),
  }
}

function describeArgument(argument: Argument): ArgumentDescription {
  return { name: argument.name(), summary: argument.description, isRequired: argument.required }
}

function describeOption({ long, short, flags, description, defaultValue }: Option): OptionDescription[] {
  if (long === undefined) return []
  const value = /[<[].*[>\]]/.exec(flags)?.[0] ?? null
  const preset = value === null || defaultValue === undefined ? null : String(defaultValue)
  return [{ long, short: short ?? null, summary: description, value, preset }]
}
