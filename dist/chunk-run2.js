import { a as runAction, i as publish, n as openLog, o as writeReports, r as openSession, s as writeSummary, t as folderOf } from "./chunk-run.js";

export { runAction };