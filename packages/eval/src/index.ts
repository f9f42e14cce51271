export { successAtK } from "./success.js";
