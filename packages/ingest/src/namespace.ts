/** The namespace rule is implemented once, in @emb/manifest. This entry gives it to services that do not load the pipeline. */
export { namespaceName, namespaceSuffix, NAMESPACE_MODES, type NamespaceName } from "@emb/manifest";
