import type { Log } from '../host/log.ts'
import type { StepFailure } from '../kernel/port.ts'
import { describeStep } from '../model/describe-step.ts'
import { sentenceOf } from '../model/explanation.ts'
import type { Failure } from '../model/failure.ts'
import { logStepsMax } from '../model/limits.ts'
import type { Plan } from '../model/step.ts'

/** An operating failure in the words of the log. */
export function failureFields(failure: Failure) {
  const { command, exitCode, stderr } = failure
  return { reason: sentenceOf(failure), command, exitCode, stderr }
}

/** The sentences of a plan; a very long one is cut short, and says so. */
export function describePlan(plan: Plan): readonly string[] {
  const sentences = plan.slice(0, logStepsMax).map(describeStep)
  return plan.length > logStepsMax ? [...sentences, `and ${plan.length - logStepsMax} more`] : sentences
}

/** What was done of a plan, and what of it failed. */
export function logPlan(
  log: Pick<Log, 'info' | 'error'>,
  plan: Plan,
  failures: readonly StepFailure[],
): void {
  const broken = new Set(failures.map(({ step }) => step))
  const done = plan.filter(step => !broken.has(step))
  if (done.length > 0) log.info('plan.applied', { steps: describePlan(done) })
  for (const { step, failure } of failures)
    log.error('step.failed', { step: describeStep(step), ...failureFields(failure) })
}
