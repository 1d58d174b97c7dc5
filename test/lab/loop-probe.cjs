// Preloaded into a daemon: writes the longest stall of its event loop since the last line, milliseconds, each quarter of a second.
const { appendFileSync } = require('node:fs')
const { monitorEventLoopDelay } = require('node:perf_hooks')
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
setInterval(() => {
  appendFileSync(process.env.LNET_LOOP_PROBE, `${Math.round(delay.max / 1e6)}\n`)
  delay.reset()
}, 250).unref()
