/** Absolute paths of what a running lnetd works with. */
export interface FilesSummary {
  readonly configuration: string
  readonly state_dir: string
  /** Null: the configuration holds the secret itself. */
  readonly secret: string | null
}
