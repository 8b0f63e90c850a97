/** Something about a server or virtual server that a person should know. */
export type ServerWarning = {
  /** Name of the server or virtual server. */
  readonly server: string;
  readonly message: string;
  /** `file:line:column`, where a file says what does not hold. */
  readonly at?: string;
  readonly hint?: string;
};
