/** Absolute paths of what a running lnetd works with. */
export interface FilesSummary {
  readonly configuration: string
  readonly state_dir: string
  /** Null: the configuration holds the secret itself. */
  readonly secret: string | null
  /** As `readlink /proc/PID/ns/net` says; absent in lnetd 0.1.0, and where it cannot be told. */
  readonly network_namespace?: string
}
