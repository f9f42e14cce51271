export {
  providerContract,
  SAME_VECTOR_MIN_COSINE,
  type ProviderCheck,
  type ProviderFixtures,
} from "./provider-contract.js";
export { miniLmProfileYaml } from "./minilm-profile.js";
export { tokenizerContract, type TokenizerCheck, type TokenizerFixtures } from "./tokenizer-contract.js";
