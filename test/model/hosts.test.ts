import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { IpAddress } from '../../src/model/address.ts'
import { formatHosts, type HostEntry, parseHosts, withHosts } from '../../src/model/hosts.ts'
import type { NodeName } from '../../src/model/node.ts'

const entry: fc.Arbitrary<HostEntry> = fc.record({
  address: fc.constantFrom('192.168.102.7', '10.0.0.1', 'fde9::1', '2001:db8::7') as fc.Arbitrary<IpAddress>,
  name: fc.constantFrom('gauss', 'hilbert', 'noether-2') as fc.Arbitrary<NodeName>,
})
const entries = fc.array(entry, { maxLength: 6 })
const someEntries = fc.array(entry, { minLength: 1, maxLength: 6 })
const block = withHosts('', [{ address: '10.0.0.1' as IpAddress, name: 'gauss' as NodeName }])
const [begin = '', , end = ''] = block.split('\n')
/** Lines of somebody's own, marks of lnet's among them. */
const own = fc
  .array(
    fc.constantFrom(
      '127.0.0.1 localhost',
      '',
      '# mine',
      begin,
      end,
      ` ${begin}`,
      '10.0.0.1 gauss.lnet',
      'ÿ\r',
    ),
  )
  .map(lines => lines.map(line => `${line}\n`).join(''))
const ownWithoutBlock = own.filter(text => withHosts(text, []) === text)

describe('a hosts file', () => {
  it('has the members in one block behind what was there', () => {
    const text = withHosts('127.0.0.1 localhost', [
      { address: '192.168.102.7' as IpAddress, name: 'gauss' as NodeName },
    ])
    expect(text.split('\n')).toEqual([
      '127.0.0.1 localhost',
      expect.stringMatching(/^# .*lnet/),
      '192.168.102.7 gauss.lnet',
      expect.stringMatching(/^# .*lnet$/),
      '',
    ])
  })

  it('keeps what is around the block, wherever that is, and gives it back', () => {
    fc.assert(
      fc.property(ownWithoutBlock, ownWithoutBlock, someEntries, entries, (before, after, first, second) => {
        fc.pre(withHosts(before + after, []) === before + after)
        const whole = before + withHosts('', first) + after
        // Marks of somebody's around ours may make other blocks of it.
        fc.pre(!before.includes(begin) && !after.includes(end))
        const changed = withHosts(whole, second)
        expect(changed).toBe(before + withHosts('', second) + after)
        expect(withHosts(changed, [])).toBe(before + after)
      }),
    )
  })

  it('has no block left where marks stood around one', () => {
    const nested = `# mine\n${begin}\n${begin}\n${end}\n${end}\n# after\n`
    const given = [{ address: '10.0.0.1' as IpAddress, name: 'gauss' as NodeName }]
    expect(withHosts(nested, [])).toBe('# mine\n# after\n')
    expect(withHosts(nested, given)).toBe(`# mine\n${block}# after\n`)
  })

  it('is the same when the same is put into it again', () => {
    fc.assert(
      fc.property(own, entries, (text, given) => {
        const once = withHosts(text, given)
        expect(withHosts(once, given)).toBe(once)
      }),
    )
  })

  it('loses no line that is outside a block', () => {
    fc.assert(
      fc.property(ownWithoutBlock, someEntries, (text, given) => {
        expect(withHosts(text, given).startsWith(text)).toBe(true)
      }),
    )
  })
})

describe('the names lnetd keeps', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(entries, given => {
        expect(parseHosts(formatHosts(given))).toEqual(given)
      }),
    )
  })

  it.each([
    '10.0.0.1 localhost',
    '10.0.0.1 debian.org',
    '10.0.0.1 gauss.lnet debian.org',
    '10.0.0.1\tdebian.org gauss.lnet',
    '10.0.0.1 -.lnet',
    '10.0.0.1 a.b.lnet',
    '10.0.0.1 GAUSS.lnet',
    'debian.org gauss.lnet',
    '10.0.0 gauss.lnet',
    '# 10.0.0.1 gauss.lnet',
    '10.0.0.1 gauss.lnet\r',
  ])('are no other lines: %j', line => {
    expect(parseHosts(`${line}\n`)).toEqual([])
  })

  it('are entries, whatever stands there', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        for (const { name } of parseHosts(text)) expect(name).toMatch(/^[a-z0-9-]+$/)
      }),
    )
  })
})
