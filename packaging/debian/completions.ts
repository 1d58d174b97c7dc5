import type {
  CommandDescription,
  OptionDescription,
  ProgramDescription,
} from '../../src/control/description.ts'

/** An argument of this name takes a node's name: the running daemon knows them. */
const nodeArgument = 'name'
const listNodes = "lnetctl peers --no-header 2>/dev/null | awk '{ print $1 }'"
/** One of this name takes a file. */
const fileArgument = 'file'
const completeFiles = 'mapfile -t COMPREPLY < <(compgen -f -- "$current")'
const generated = '# What lnetctl itself says it can be told.'

/** Commands that begin with the same word. */
interface Entry extends CommandDescription {
  /** Their second words: none but in a group. */
  readonly verbs: readonly string[]
}

/** For /usr/share/bash-completion/completions. */
export function bashCompletion({ commands, ...rest }: ProgramDescription): string {
  const program = { ...rest, commands: entriesOf(commands) }
  const groups = program.commands.filter(({ verbs }) => verbs.length > 0)
  const verbs = groups.map(entry => {
    const after = takes(fileArgument, entry) ? `${completeFiles}; return` : 'return'
    return `      ${entry.name}) [[ $previous == ${entry.name} ]] || { ${after}; }; options='${entry.verbs.join(' ')}' ;;\n`
  })
  const cases = program.commands.map(command => `    ${command.name}) options='${optionWords(command)}' ;;\n`)
  const takers = alternatives(
    program.commands.filter(entry => takes(nodeArgument, entry)).map(({ name }) => name),
  )
  const files = alternatives(fileOptions(program))
  const valued = alternatives(valuedOptions(program))
  return `${generated}
_lnetctl() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local command='' word options='${optionWords(program)}'
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " ${program.commands.map(({ name }) => name).join(' ')} " in
      *" $word "*) command=$word; break ;;
    esac
  done
  COMPREPLY=()
  case $previous in
    ${files}) ${completeFiles}; return ;;
    ${valued}) return ;;
  esac
  case $command in
    '') [[ $current == -* ]] || options='${program.commands.map(({ name }) => name).join(' ')} help' ;;
${cases.join('')}  esac
  if [[ $current != -* ]]; then
    case $command in
      ${takers}) options=$(${listNodes}) ;;
${verbs.join('')}      ?*) return ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
}
complete -F _lnetctl lnetctl
`
}

/** For /usr/share/zsh/vendor-completions. */
export function zshCompletion({ commands: described, ...rest }: ProgramDescription): string {
  const program = { ...rest, commands: entriesOf(described) }
  const commands = program.commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}\n`)
  const cases = program.commands.map(command => {
    const { name, verbs } = command
    const node = takes(nodeArgument, command) ? " '1:node:_lnetctl_nodes'" : ''
    const verb = verbs.length > 0 ? ` '1:what:(${verbs.join(' ')})'` : ''
    const file = takes(fileArgument, command) ? " '*:file:_files'" : ''
    return `    ${name}) _arguments ${zshOptions(command)}${node}${verb}${file} ;;\n`
  })
  return `#compdef lnetctl
${generated}
_lnetctl_nodes() {
  local -a nodes
  nodes=(\${(f)"$(${listNodes})"})
  _describe node nodes
}
_lnetctl() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands
  commands=(
${commands.join('')}  )
  _arguments -C ${zshOptions(program)} '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
${cases.join('').replaceAll(/^/gm, '    ').trimEnd()}
      esac
      ;;
  esac
}
_lnetctl "$@"
`
}

/** For /usr/share/fish/vendor_completions.d. */
export function fishCompletion({ commands, ...rest }: ProgramDescription): string {
  const program = { ...rest, commands: entriesOf(commands) }
  const first = '__fish_use_subcommand'
  const lines = program.commands.flatMap(command => {
    const inside = `__fish_seen_subcommand_from ${command.name}`
    const node = takes(nodeArgument, command) ? ["-a '(__lnetctl_nodes)'"] : []
    const file = takes(fileArgument, command) ? ['-F'] : []
    const more = [...node, ...command.verbs.map(verb => `-a ${verb}`), ...file]
    return [
      `complete -c lnetctl -n ${first} -a ${command.name} -d ${quote(command.summary)}`,
      ...command.options.map(option => fishOption(option, inside)),
      ...more.map(what => `complete -c lnetctl -n '${inside}' ${what}`),
    ]
  })
  return `${generated}
function __lnetctl_nodes
  ${listNodes}
end
complete -c lnetctl -f
${program.options.map(option => fishOption(option, first)).join('\n')}
${lines.join('\n')}
`
}

/** A pattern of bash's `case`. Of nothing: one that no word matches. */
function alternatives(words: readonly string[]): string {
  return words.length === 0 ? "' '" : words.join('|')
}

/** One for each first word; of a group, with everything that any of its commands takes. */
function entriesOf(commands: readonly CommandDescription[]): readonly Entry[] {
  const firstWords = [...new Set(commands.map(({ name }) => firstWord(name)))]
  return firstWords.map(word => {
    const own = commands.filter(({ name }) => firstWord(name) === word)
    const options = new Map(own.flatMap(command => command.options.map(option => [option.long, option])))
    return {
      name: word,
      summary: own[0]?.summary ?? '',
      arguments: own.flatMap(command => command.arguments),
      options: [...options.values()],
      verbs: own.flatMap(({ name }) => name.split(' ').slice(1)),
    }
  })
}

function firstWord(name: string): string {
  return name.split(' ')[0] as string
}

function takes(argument: string, command: CommandDescription): boolean {
  return command.arguments.some(({ name }) => name === argument)
}

function optionWords({ options }: CommandDescription): string {
  return options.map(({ long }) => long).join(' ')
}

function everyOption(program: ProgramDescription): readonly OptionDescription[] {
  return [program, ...program.commands].flatMap(({ options }) => options)
}

function valuedOptions(program: ProgramDescription): string[] {
  const valued = everyOption(program).filter(option => option.value?.startsWith('<') && !takesFile(option))
  return [...new Set(valued.map(({ long }) => long))].sort()
}

function fileOptions(program: ProgramDescription): string[] {
  const files = everyOption(program).filter(takesFile)
  return [...new Set(files.map(({ long }) => long))].sort()
}

function takesFile({ value }: OptionDescription): boolean {
  return value === '<path>' || value === '<file>'
}

function zshOptions({ options }: CommandDescription): string {
  return options
    .map(option => {
      const what = takesFile(option) ? ':file:_files' : option.value?.startsWith('<') ? ':value:' : ''
      const summary = option.summary.replaceAll(/[[\]:]/g, character => `\\${character}`)
      return quote(`${option.long}[${summary}]${what}`)
    })
    .join(' ')
}

function fishOption(option: OptionDescription, when: string): string {
  const { long, short, value, summary } = option
  const brief = short === null ? '' : ` -s ${short.slice(1)}`
  const what = takesFile(option) ? ' -rF' : value?.startsWith('<') ? ' -x' : ''
  return `complete -c lnetctl -n '${when}' -l ${long.slice(2)}${brief}${what} -d ${quote(summary)}`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
