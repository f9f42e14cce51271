export {
  MAX_TOP_K,
  openSearch,
  type Search,
  type SearchAnswer,
  type SearchRequest,
  type SearchSetup,
} from "./search.js";
