/** A part of what there is: one server as it is, or what a file of `registry/virtual/` makes of several. */
export type ViewName = `server:${string}` | `virtual:${string}`;
