/** What a log or an error may say of what was thrown, which can be anything. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : 'not an error';
}
