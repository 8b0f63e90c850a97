/** The rooms of the request row, then of the result row, by the names that entries and refusals carry. */
export type ControlName = 'rate' | 'authorize' | 'validate-input' | 'concurrency' | 'budget' | 'validate-output';
