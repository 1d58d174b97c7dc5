import { type Logger, pino, stdTimeFunctions } from 'pino'
import type { LogLevel } from '../model/configuration.ts'
import type { FieldsOf, LogEvent } from './events.ts'
import { createSink, type LogStream, standardOutput } from './sink.ts'

/** Events with fields from one glossary (`events.ts`). */
export interface Log {
  debug<Event extends LogEvent>(event: Event, ...fields: Arguments<Event>): void
  info<Event extends LogEvent>(event: Event, ...fields: Arguments<Event>): void
  warn<Event extends LogEvent>(event: Event, ...fields: Arguments<Event>): void
  error<Event extends LogEvent>(event: Event, ...fields: Arguments<Event>): void
  /** From the next event on. */
  setLevel(level: LogLevel): void
}

type Arguments<Event extends LogEvent> = keyof FieldsOf<Event> extends never
  ? [fields?: Record<string, never>]
  : [fields: FieldsOf<Event>]

/** JSON lines on standard output, or lines for people when that is a terminal. */
export async function openLog(level: LogLevel): Promise<Log> {
  if (process.stdout.isTTY) return createLog(level, await prettyStream())
  const log = createLog(
    level,
    createSink(standardOutput(), suppressed => log.warn('log.lost', { suppressed })),
  )
  return log
}

export function createLog(level: LogLevel, stream: LogStream): Log {
  const logger = pino(
    {
      level,
      // The service manager knows process and host.
      base: null,
      messageKey: 'event',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      redact: { paths: secretPaths, censor: '(secret)' },
    },
    stream,
  )
  return {
    debug: (event, ...[fields]) => logger.debug(fields ?? {}, event),
    info: (event, ...[fields]) => logger.info(fields ?? {}, event),
    warn: (event, ...[fields]) => logger.warn(fields ?? {}, event),
    error: (event, ...[fields]) => logger.error(fields ?? {}, event),
    setLevel: next => setLevel(logger, next),
  }
}

/** No field of the glossary holds one; this is for the day somebody spreads an object that does. */
const secretNames = [
  'secret',
  'privateKey',
  'presharedKey',
  'networkKey',
  'probeKey',
  'identitySeed',
  'token',
]
const secretPaths = secretNames.flatMap(name => [name, `*.${name}`])

function setLevel(logger: Logger, level: LogLevel): void {
  logger.level = level
}

async function prettyStream(): Promise<LogStream> {
  const { PinoPretty } = await import('pino-pretty')
  return PinoPretty({
    sync: true,
    singleLine: true,
    messageKey: 'event',
    translateTime: 'SYS:HH:MM:ss.l',
    colorize: !process.env.NO_COLOR,
  })
}
