import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { changelog } from '../../packaging/debian/changelog.ts'
import { bashCompletion, fishCompletion, zshCompletion } from '../../packaging/debian/completions.ts'
import { configurationManual, controlManual, daemonManual } from '../../packaging/debian/manuals.ts'
import { root } from '../../packaging/root.ts'
import type { ProgramDescription } from '../../src/control/description.ts'
import { usage } from '../../src/host/arguments.ts'

const source = { version: '1.2.3', epochSeconds: 1_700_000_000, usage }
const socket = { long: '--socket', short: null, summary: 'where', value: '<path>', preset: '/run/x.sock' }
const program: ProgramDescription = {
  name: 'lnetctl',
  summary: 'Look at lnetd.',
  arguments: [],
  options: [socket],
  commands: [
    {
      name: 'peer',
      summary: "one member's [all]: what is known",
      arguments: [{ name: 'name', summary: 'which', isRequired: true }],
      options: [{ long: '--watch', short: '-w', summary: 'again', value: '[seconds]', preset: null }],
    },
    { name: 'down', summary: 'take it away', arguments: [], options: [] },
    {
      name: 'import wg-quick',
      summary: 'make it of a file',
      arguments: [{ name: 'file', summary: 'which', isRequired: true }],
      options: [{ long: '--dry-run', short: null, summary: 'write nothing', value: null, preset: null }],
    },
  ],
}

/** What bash completes, of a line whose last word is under the cursor. */
function completed(...words: string[]): string[] {
  const line = ['lnetctl', ...words].map(word => `'${word}'`).join(' ')
  const script = `lnetctl() { echo 'gauss up'; echo 'hilbert down'; }
${bashCompletion(program)}
COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _lnetctl; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return stdout.trim().split('\n')
}

describe('completion', () => {
  it('offers commands, options, and the names the daemon knows', () => {
    expect(completed('')).toEqual(['peer', 'down', 'import', 'help'])
    expect(completed('p')).toEqual(['peer'])
    expect(completed('--s')).toEqual(['--socket'])
    expect(completed('peer', '--')).toEqual(['--watch'])
    expect(completed('peer', 'g')).toEqual(['gauss'])
    expect(completed('--socket', '/run/x', 'peer', '')).toEqual(['gauss', 'hilbert'])
    expect(completed('down', '')).toEqual([''])
    expect(completed('import', '')).toEqual(['wg-quick'])
    expect(completed('import', 'wg-quick', '--')).toEqual(['--dry-run'])
    expect(completed('import', 'wg-quick', '/etc/passw')).toContain('/etc/passwd')
  })

  it('names every command and option for zsh and fish too', () => {
    for (const text of [zshCompletion(program), fishCompletion(program)])
      for (const word of [
        'peer',
        'down',
        'watch',
        'socket',
        'lnetctl peers',
        'import',
        'wg-quick',
        'dry-run',
      ])
        expect(text).toContain(word)
    expect(zshCompletion(program)).toContain("'peer:one member'\\''s [all]: what is known'")
    expect(fishCompletion(program)).toContain("-l watch -s w -d 'again'")
  })
})

describe('the manual', () => {
  it('has every command, argument, option and default', () => {
    const text = controlManual(source, program)
    for (const words of [
      '.B peer <name>',
      '.B import wg\\-quick <file>',
      '.B \\-w, \\-\\-watch [seconds]',
      'which.',
      '(default: /run/x.sock)',
    ])
      expect(text).toContain(words)
  })

  it('has every option of lnetd', () => {
    for (const option of ['config FILE', 'check', 'version', 'help'])
      expect(daemonManual(source)).toContain(`.B \\-\\-${option}`)
  })

  it('never takes text for a request, and shows a sample as it is', () => {
    const text = configurationManual(source, "# one\n.so /etc/passwd\n'x\nkey: a\\b-c\n")
    expect(text).toContain("# one\n\\&.so /etc/passwd\n\\&'x\nkey: a\\eb\\-c\n.fi")
  })
})

describe('the changelog', () => {
  it('is one entry in the form dpkg-parsechangelog reads', () => {
    const text = changelog(source)
    expect(text).toMatch(/^lnetd \(1\.2\.3\) stable; urgency=medium\n\n {2}\* \S/)
    expect(text).toMatch(/\n\n -- .+ <.+> {2}Tue, 14 Nov 2023 22:13:20 \+0000\n$/)
    expect(text.split('\n').filter(line => line.length > 100)).toEqual([])
  })
})

describe('shell scripts', () => {
  it('are ones', () => {
    const scripts = [
      ...globSync('packaging/debian/scripts/*', { cwd: root }),
      ...['usr/sbin/lnetd', 'usr/bin/lnetctl', 'usr/lib/lnetd/prepare', 'usr/lib/lnetd/take-down'].map(
        path => `packaging/debian/tree/${path}`,
      ),
    ]
    expect(scripts).toHaveLength(8)
    for (const script of scripts) {
      expect(readFileSync(join(root, script), 'utf8')).toMatch(/^#!\/bin\/sh\n/)
      const { status, stderr } = spawnSync('sh', ['-n', join(root, script)], { encoding: 'utf8' })
      expect([script, stderr, status]).toEqual([script, '', 0])
    }
  })
})

describe('a unit whose process holds secrets', () => {
  it.each(['lnetd.service', 'lnetd-wireguard.service'])('leaves no core: %s', unit => {
    const text = readFileSync(join(root, 'packaging/debian/tree/usr/lib/systemd/system', unit), 'utf8')
    expect(text).toContain('\nLimitCORE=0\n')
  })
})

describe('the compiled program', () => {
  const tree = join(root, 'packaging/debian/tree/usr')
  /** What the runtime is told where the packaged command is run with a cache directory of a service manager. */
  const cacheTold = (command: string) => {
    const runtime = 'runtime() { printf "[%s]" "$NODE_COMPILE_CACHE"; }\n'
    const script = readFileSync(join(tree, command), 'utf8').replace('exec /usr/lib/lnetd/node', 'runtime')
    const env = { PATH: process.env.PATH, CACHE_DIRECTORY: '/var/cache/lnetd' }
    return spawnSync('sh', ['-c', runtime + script], { encoding: 'utf8', env }).stdout
  }

  it('of lnetd is never read by lnetctl, which root runs', () => {
    expect(cacheTold('sbin/lnetd')).toBe('[/var/cache/lnetd]')
    expect(cacheTold('bin/lnetctl')).toBe('[/var/cache/lnetctl]')
    const directories = readFileSync(join(tree, 'lib/tmpfiles.d/lnetd.conf'), 'utf8')
    expect(directories).toContain('d /var/cache/lnetctl 0755 root root -\n')
    const unit = readFileSync(join(tree, 'lib/systemd/system/lnetd.service'), 'utf8')
    expect(unit).toContain('CacheDirectory=lnetd\nCacheDirectoryMode=0700\n')
    // It would hold for prepare, too.
    expect(unit).not.toContain('NODE_COMPILE_CACHE')
  })
})
