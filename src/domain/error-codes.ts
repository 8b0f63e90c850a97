/** What each error code of files, settings, commands and the wire means. One table for the whole house. */
export const ERROR_CODES = {
  'settings-invalid': 'A flag, environment variable or setting has a value that is not allowed.',
} as const;

/** The stable code of an error. */
export type ErrorCode = keyof typeof ERROR_CODES;
