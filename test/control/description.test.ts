import { Command, Option } from 'commander'
import { describe, expect, it } from 'vitest'
import { describeProgram } from '../../src/control/description.ts'

describe('describeProgram', () => {
  it('tells what help would show, and nothing that is hidden', () => {
    const program = new Command('tool').description('Does things.')
    program.option('--socket <path>', 'where', '/run/x')
    program
      .command('look')
      .description('look at one')
      .argument('<name>', 'which')
      .argument('[more]', 'and what else')
      .option('-w, --watch [seconds]', 'again')
      .option('--no-header', 'without a header')
      .addOption(new Option('--secret', 'not for everybody').hideHelp())
    program
      .command('print')
      .description('prints')
      .command('as-text')
      .description('print as text')
      .option('--to <path>', 'where')
    program.command('quiet', { hidden: true }).description('hidden')
    const helpOption = { long: '--help', short: '-h', value: null, preset: null }
    expect(describeProgram(program)).toEqual({
      name: 'tool',
      summary: 'Does things.',
      arguments: [],
      options: [
        { long: '--socket', short: null, summary: 'where', value: '<path>', preset: '/run/x' },
        { ...helpOption, summary: 'display help for command' },
      ],
      commands: [
        {
          name: 'look',
          summary: 'look at one',
          arguments: [
            { name: 'name', summary: 'which', isRequired: true },
            { name: 'more', summary: 'and what else', isRequired: false },
          ],
          options: [
            { long: '--watch', short: '-w', summary: 'again', value: '[seconds]', preset: null },
            { long: '--no-header', short: null, summary: 'without a header', value: null, preset: null },
            { ...helpOption, summary: 'display help for command' },
          ],
        },
        {
          name: 'print as-text',
          summary: 'print as text',
          arguments: [],
          options: [
            { long: '--to', short: null, summary: 'where', value: '<path>', preset: null },
            { ...helpOption, summary: 'display help for command' },
          ],
        },
      ],
    })
  })
})
