import { n as unexpected } from "./chunk-unexpected.js";

/** What GitHub runs at the end of the job, also after a cancel and when main was killed. */
process.stdout.on("error", () => {});
process.on("uncaughtException", (cause) => {
	process.stdout.write(unexpected(cause));
	process.exitCode = 1;
});
const { recoverAction } = await import("./chunk-recover.js");
process.exitCode = await recoverAction();
setTimeout(() => process.exit(), 3e3).unref();

export {  };