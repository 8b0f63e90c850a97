/** What each error code of files, settings, commands and the wire means. One table for the whole house. */
export const ERROR_CODES = {
  'settings-invalid': 'A flag, environment variable or setting has a value that is not allowed.',
  'config-syntax': 'A YAML file cannot be parsed at that place.',
  'config-duplicate-key': 'A key is written twice in one map of a YAML file.',
  'config-unknown-key': 'A YAML file has a key that nothing reads.',
  'config-missing-key': 'A YAML file lacks a key that has no default.',
  'config-invalid-value': 'A value of a YAML file has the wrong type, form or size.',
  'config-too-large': 'A YAML file is too large or too deeply nested.',
  'config-control-character': 'A YAML file holds a control character, which no reviewer can see.',
  'config-refused-yaml': 'A YAML file uses an anchor, alias, tag, directive, merge key or second document.',
  'config-unreadable': 'A file or directory cannot be read, or is not UTF-8.',
  'registry-name-mismatch': 'A file of the registry is not called after the `name` it holds.',
  'registry-duplicate-name': 'Two files of the registry hold the same name.',
  'registry-lookalike-name': 'Two names of the registry differ only in case or in letters that look alike.',
  'registry-unexpected-file': 'A file of the registry is of no kind that the broker reads.',
  'registry-secret-in-clear': 'A secret stands in a file of the registry instead of a reference to it.',
  'registry-lock-invalid': 'The file `registry.lock` is not what the broker wrote; no pin of it is trusted.',
  'registry-pin-corrupt': 'A pinned definition does not match its own digest; the tool is blocked.',
  'credentials-reference-invalid': 'A secret reference is not of the form `${env:NAME}` or `${file:PATH}`.',
  'credentials-reference-missing': 'A secret reference names a variable or file that does not exist or is empty.',
  'credentials-file-readable-by-others': 'A secret file can be read by other users of the machine.',
} as const;

/** The stable code of an error. */
export type ErrorCode = keyof typeof ERROR_CODES;
