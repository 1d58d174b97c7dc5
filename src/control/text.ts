/** `12 s`, `3 min`, `5 h`, `2 d`: one unit, rounded down. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min`
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h`
  return `${Math.floor(whole / 86_400)} d`
}

const byteUnits = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** As `wg show` writes sizes: `148 B`, `1.45 KiB`, `3.20 GiB`. */
export function byteSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  let value = bytes / 1024
  let unit = 0
  while (value >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value.toFixed(2)} ${byteUnits[unit]}`
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** The time of day by this machine's zone, `10:02`; with its date when it is more than a day ago. */
export function clockTime(unixSeconds: number, nowUnixSeconds: number): string {
  const date = new Date(unixSeconds * 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`
  if (nowUnixSeconds - unixSeconds < 86_400) return time
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`
}

/**
 * What a terminal can be shown. Names are validated where they arrive; errors of tools and neighbours are not, and
 * an escape sequence in one must not drive the reader's terminal.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
}

export type Colour = 'green' | 'yellow' | 'red' | 'dim'
export type Paint = (colour: Colour, text: string) => string

const sgr = { green: 32, yellow: 33, red: 31, dim: 2 } as const

/** Colours for a terminal, or none. */
export function painter(coloured: boolean): Paint {
  return coloured ? (colour, text) => `\u001b[${sgr[colour]}m${text}\u001b[0m` : (_, text) => text
}
