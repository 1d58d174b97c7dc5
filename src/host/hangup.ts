/** What SIGHUP asks for, once there is something that can be asked. */
export interface Hangups {
  /** From now on each one is answered by this, one after the other; at once if one came before. */
  answer(act: () => Promise<void>): void
}

/** Listens from now on: a SIGHUP that nobody listens to would end the process. */
export function listenForHangups(process: Pick<NodeJS.EventEmitter, 'on'>): Hangups {
  let act: (() => Promise<void>) | null = null
  let isAsked = false
  let isActing = false

  async function serve(): Promise<void> {
    if (act === null || isActing) return
    isActing = true
    while (isAsked) {
      // What comes while it acts may be about something it has read already.
      isAsked = false
      await act()
    }
    isActing = false
  }

  process.on('SIGHUP', () => {
    isAsked = true
    void serve()
  })
  return {
    answer(action) {
      act = action
      void serve()
    },
  }
}
