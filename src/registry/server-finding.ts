/** Something about a server that a person should know. */
export interface ServerFinding {
  readonly server: string;
  readonly message: string;
}
