import { t as getOctokit } from "./chunk-github.js";

export { getOctokit };