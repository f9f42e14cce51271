export { diskFiles, type ConfigFiles } from "./config-folder.js";
export { DEFAULTS } from "./defaults.js";
export { EnvironmentFile, ROLLOUT_METRICS } from "./environment-file.js";
export { jsonSchemas } from "./json-schemas.js";
export { lockIn, type LockIn } from "./lock-in.js";
export { configurationError, gateAsk, loadSettings, type LoadSettingsInput } from "./load-settings.js";
export {
  decideGate,
  flagsWithoutEffect,
  gateError,
  isOpenEnvironment,
  type GateDecision,
  type GateInput,
  type Permission,
} from "./override-gate.js";
export { missingRequirements } from "./requirements.js";
export { SETTING_VARIABLES, type Environment } from "./setting-variables.js";
export type { Settings } from "./settings.js";
