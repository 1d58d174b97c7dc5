import { reportHost } from '../host/report.ts'
import { reportKernel } from '../kernel/report.ts'
import type { ReportMaterial } from '../model/report.ts'

/** All that this machine tells without lnetd; nothing is changed. */
export async function gatherReport(configPath: string): Promise<ReportMaterial> {
  const [host, kernel] = [await reportHost(configPath), await reportKernel()]
  const { sensitive } = host
  return {
    ...host,
    files: [...host.files, ...kernel.files],
    sensitive: { ...sensitive, publicKeys: [...sensitive.publicKeys, ...kernel.publicKeys] },
  }
}
