/** The candidate that was probably meant: at most two letters off, whatever its case and separators. */
export function nearest(text: string, candidates: Iterable<string>): string | null {
  if (text.length > 40) return null
  let best: string | null = null
  let bestDistance = 3
  for (const candidate of candidates) {
    const distance = editDistance(plain(text), plain(candidate))
    if (distance < bestDistance && distance < candidate.length - 1) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[-_ ]/g, '')
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
