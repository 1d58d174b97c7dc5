import { type Argument, type Command, Help, type Option } from 'commander'

/** What lnetctl can be told, for those who write about it: its man page and its completions are made of this. */
export interface ProgramDescription extends CommandDescription {
  /** Without those that help finds by itself (`help`), and without the hidden ones; of a group, those in it. */
  readonly commands: readonly CommandDescription[]
}

export interface CommandDescription {
  /** As it is typed: with the word of its group before it, as in `export wg-quick`. */
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
  return {
    ...describeCommand(help, program, ''),
    commands: commandsOf(help, program).flatMap(command => {
      const inside = commandsOf(help, command)
      if (inside.length === 0) return [describeCommand(help, command, '')]
      return inside.map(each => describeCommand(help, each, `${command.name()} `))
    }),
  }
}

function commandsOf(help: Help, command: Command): Command[] {
  return help.visibleCommands(command).filter(each => each.name() !== 'help')
}

function describeCommand(help: Help, command: Command, group: string): CommandDescription {
  return {
    name: `${group}${command.name()}`,
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
