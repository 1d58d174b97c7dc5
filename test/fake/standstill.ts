/** Holds still what a process would do while it is stopped, in its order. */
export class Standstill {
  #held: (() => void)[] | null = null

  get isStill(): boolean {
    return this.#held !== null
  }

  begin(): void {
    this.#held ??= []
  }

  /** What was held back is done from now on, one after the other. */
  end(schedule: (action: () => void) => void): void {
    const held = this.#held ?? []
    this.#held = null
    for (const action of held) schedule(action)
  }

  /** Now, or when it ends. */
  pass(action: () => void): void {
    if (this.#held === null) action()
    else this.#held.push(action)
  }
}
