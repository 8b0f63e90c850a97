/** The two texts that make a policy set. Bytes are decoded strictly; what is missing or empty is told below. */
export interface PolicyFiles {
  /** How a request is matched. Missing: the model that ships with the broker. */
  readonly 'model.conf'?: string | Uint8Array;
  /** Who may do what. Missing or empty: nothing is allowed. */
  readonly 'policy.csv'?: string | Uint8Array;
}

/** The model that ships with the broker; a `model.conf` may differ from it in white space and whole-line comments only. */
export const DEFAULT_MODEL: string = `[request_definition]
r = sub, obj, act, ctx

[policy_definition]
p = sub, obj, act, when, eft

[role_definition]
g = _, _
g2 = _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = (p.act == "*" || r.act == p.act) && (glob(r.obj, p.obj) || g2(r.obj, p.obj)) && g(r.sub, p.sub) && when(p.when, r.ctx, p.eft)
`;
