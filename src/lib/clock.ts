/** Where time comes from. Nothing below `app/` reads a clock of its own. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z as the machine's calendar clock says; may jump. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start; never goes backwards, never jumps. */
  monotonicMs(): number;
}
