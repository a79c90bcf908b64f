/** How long untagged manifests stay after their last use: a duration such as `30d`, for ever, or what the setting says. */
export type UntaggedRule = string & { readonly __brand: 'UntaggedRule' };

export interface NamespaceRule {
  readonly name: string;
  readonly kind: 'user' | 'organisation';
  readonly untagged: UntaggedRule;
}

/** Rules of namespaces for their untagged manifests. */
export interface UntaggedRules {
  /** Changes the rule, with an audit row in the actor's name. False where there is no such namespace. */
  set(namespace: string, rule: UntaggedRule, actorName: string): Promise<boolean>;
  /** Namespaces by name, after `last`. */
  list(page: { readonly last?: string; readonly limit: number }): Promise<NamespaceRule[]>;
}
