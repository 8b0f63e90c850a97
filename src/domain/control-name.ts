/** The rooms of the request row, then of the result row, by the names that entries and refusals carry. */
export type ControlName =
  | 'rate'
  | 'authorize'
  | 'validate-input'
  | 'concurrency'
  | 'budget'
  /** Only of a call that goes on after a question. */
  | 'request-state'
  | 'validate-output'
  /** Of questions, in the place of `validate-input` and `validate-output`. */
  | 'guard-question'
  | 'validate-answer';
