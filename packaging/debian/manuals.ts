import type {
  CommandDescription,
  OptionDescription,
  ProgramDescription,
} from '../../src/control/description.ts'

export interface ManualSource {
  readonly version: string
  readonly epochSeconds: number
  /** What `lnetd --help` prints. */
  readonly usage: string
}

/** lnetd(8) */
export function daemonManual(source: ManualSource): string {
  const [synopsis = '', ...rest] = source.usage.replace(/^Usage: /, '').split('\n')
  const options = rest.filter(line => line.startsWith('  --')).map(line => line.trim().split(/\s{2,}/))
  const after = rest.filter(line => line !== '' && !line.startsWith('  '))
  return page(
    source,
    'LNETD',
    8,
    section('NAME', plain('lnetd - the daemon of lnet, a layer-2 mesh over WireGuard and VXLAN')),
    section('SYNOPSIS', plain(synopsis)),
    section(
      'DESCRIPTION',
      plain(
        'lnetd tells the other machines of its mesh who it is, hears who they are, and keeps this kernel in step: a WireGuard peer and a VXLAN flood entry for every member. Packets never pass through it. Addresses, tunnels and segments stay when it stops, is restarted or upgraded; lnetctl down and lnetctl leave, and removing the package, take them away.',
      ),
      plain(after.join(' ')),
    ),
    section('OPTIONS', ...options.map(([flag = '', summary = '']) => tagged(flag, summary))),
    section('THE SERVICE', ...service.map(plain)),
    section('FILES', ...files.map(([path, what]) => tagged(path, what))),
    section('ENVIRONMENT', tagged('LNETD_TOKEN', token)),
    section('EXIT STATUS', ...exits.map(([code, what]) => tagged(code, what))),
    section('SEE ALSO', plain('lnetctl(8), lnetd.yaml(5), wg(8), bridge(8), nft(8)')),
  )
}

/** lnetctl(8), from what it says of itself. */
export function controlManual(source: ManualSource, program: ProgramDescription): string {
  return page(
    source,
    'LNETCTL',
    8,
    section('NAME', plain(`lnetctl - ${lower(program.summary)}`)),
    section('SYNOPSIS', plain('lnetctl [OPTION...] COMMAND [ARGUMENT...]')),
    section('OPTIONS', ...program.options.map(optionText)),
    section('COMMANDS', ...program.commands.map(commandText)),
    section(
      'EXIT STATUS',
      plain('0 done, 1 an error, 2 wrong usage, 3 lnetd is not reachable, 4 degraded (status --check).'),
    ),
    section(
      'WHO MAY ASK',
      plain('root, and members of the group lnetd. To ask includes to order: lnetctl down, lnetctl leave.'),
    ),
    section('SEE ALSO', plain('lnetd(8), lnetd.yaml(5)')),
  )
}

/** lnetd.yaml(5): the commented sample, which a test keeps equal to what lnetd takes. */
export function configurationManual(source: ManualSource, sample: string): string {
  return page(
    source,
    'LNETD.YAML',
    5,
    section('NAME', plain('lnetd.yaml - the configuration of lnetd')),
    section(
      'DESCRIPTION',
      plain(
        'YAML, at /etc/lnetd/lnetd.yaml. Unknown keys are errors; every key but the secret is optional. lnetd --check finds every problem of a file at once. The sample below, also in /etc/lnetd/lnetd.yaml.example, shows every key.',
      ),
    ),
    section('SAMPLE', `.nf\n${sample.trimEnd().split('\n').map(line).join('\n')}\n.fi\n`),
    section('SEE ALSO', plain('lnetd(8), lnetctl(8)')),
  )
}

const service = [
  'lnetd.service starts with the machine once it is configured: by lnetctl init, lnetctl join, a file dropped at /etc/lnetd/lnetd.yaml, or a token in /etc/default/lnetd. It runs as the user lnetd with CAP_NET_ADMIN, in a sandbox; systemctl cat lnetd shows both, and systemctl edit lnetd loosens them where a configuration asks for more: CAP_NET_BIND_SERVICE for a gossip or metrics port below 1024, ReadWritePaths= for a state_dir elsewhere.',
  'systemctl reload lnetd reads the configuration again; the journal says what only a restart changes. systemctl stop and restart leave the network up. A daemon that ends is started again, after a pause that grows to a minute; one that refuses its configuration is not.',
  'Where the kernel has no WireGuard, lnetd-wireguard.service runs wireguard-go on request. It is part of the data plane: neither an upgrade nor stopping lnetd ends it.',
  'With names: true, lnetd keeps the names of members in /run/lnetd/hosts, and lnetd-names.service puts them into a block of /etc/hosts whenever they change.',
  'Secrets are read from files of mode 0600 below /etc/lnetd. Those that root left there are given to the user lnetd before each start.',
]

const token =
  'In the file /etc/default/lnetd, of mode 0600: what lnetctl token printed on a member. When there is no configuration, the service joins with it at its next start, writes configuration and secret, and does not look at it again.'

const files: readonly (readonly [string, string])[] = [
  ['/etc/lnetd/lnetd.yaml', 'The configuration, lnetd.yaml(5).'],
  ['/etc/lnetd/mesh.secret', 'The mesh secret: whoever has it can join.'],
  ['/etc/default/lnetd', 'A token to join with, see ENVIRONMENT.'],
  [
    '/var/lib/lnetd',
    'Keys, claimed addresses, the last known members. Keep it; never copy it to a second machine.',
  ],
  ['/var/cache/lnetd, /var/cache/lnetctl', 'The compiled programs, for the next start. They may be removed.'],
  ['/run/lnetd/lnetd.sock', 'Where lnetctl asks.'],
]

const exits: readonly (readonly [string, string])[] = [
  ['0', 'Ended as it was told to.'],
  ['1', 'Could not start or go on; the last lines of the log say why.'],
  ['2', 'Wrong usage, or a configuration with problems: each is one line.'],
  ['9', 'Ended by lnetctl down or leave, under a service manager that would else start it again.'],
  ['70', 'A bug; the log has its stack.'],
]

function page(
  { version, epochSeconds }: ManualSource,
  name: string,
  chapter: number,
  ...parts: string[]
): string {
  const date = new Date(epochSeconds * 1000).toISOString().slice(0, 10)
  return `.TH ${name} ${chapter} ${date} "lnet ${version}" "lnet"\n.nh\n.ad l\n${parts.join('')}`
}

function section(title: string, ...paragraphs: string[]): string {
  return `.SH ${title}\n${paragraphs.join('')}`
}

function plain(text: string): string {
  return `.PP\n${line(text)}\n`
}

function tagged(tag: string, text: string): string {
  return `.TP\n.B ${line(tag)}\n${line(text)}\n`
}

function commandText(command: CommandDescription): string {
  const words = command.arguments.map(({ name, isRequired }) => (isRequired ? `<${name}>` : `[${name}]`))
  const options = command.options.filter(({ long }) => long !== '--help').map(optionText)
  const explained = command.arguments.map(({ name, summary }) => tagged(name, `${summary}.`))
  const inside = [...explained, ...options]
  return [
    tagged([command.name, ...words].join(' '), `${command.summary}.`),
    ...(inside.length === 0 ? [] : ['.RS\n', ...inside, '.RE\n']),
  ].join('')
}

function optionText({ long, short, value, summary, preset }: OptionDescription): string {
  const flags = [...(short === null ? [] : [short]), long].join(', ')
  const text = preset === null ? summary : `${summary} (default: ${preset})`
  return tagged(value === null ? flags : `${flags} ${value}`, `${text}.`)
}

/** Text as roff takes it: a line of its own, with nothing in it that roff would read as a request. */
function line(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replaceAll('’', "'")
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, '')
}
