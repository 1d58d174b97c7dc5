import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLab, type Lab } from '../lab/lab.ts'
import { node24, root } from '../lab/node.ts'
import { allUp, silentPairs } from '../lab/overlay.ts'

describe('npm run lab', () => {
  it('forms a mesh of five and shows it', async () => {
    const { stdout, exitCode } = await execa(node24, [join(root, 'test/lab/main.ts'), '--nodes', '5'], {
      reject: false,
      all: true,
    })
    console.log(stdout)
    expect(exitCode).toBe(0)
    expect(stdout).toContain('20 ordered pairs answer by IPv4, 20 by IPv6')
  })
})

describe('a mesh on the kernel’s WireGuard', () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await createLab({ nodes: 3 })
    for (const node of lab.nodes) node.start()
    await allUp(lab.nodes)
  })
  afterAll(() => lab.cleanup())

  it('says so, and every pair answers', async () => {
    for (const node of lab.nodes) {
      const { stdout } = await node.lnetctl(['status', '--json'])
      expect(JSON.parse(stdout)).toMatchObject({ tunnel: { interface: 'lnet0', implementation: 'kernel' } })
      const shown = await node.namespace.must(['ip', '-json', 'link', 'show', 'type', 'wireguard'])
      expect(JSON.parse(shown)).toMatchObject([{ ifname: 'lnet0' }])
    }
    expect(await silentPairs(lab.nodes)).toEqual([])
  })
})
