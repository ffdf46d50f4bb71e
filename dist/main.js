// src/main.ts
/** What GitHub runs. Everything heavy is loaded after the first line is out. */
process.stdout.write("Postgres Upgrade\n");
process.stdout.on("error", () => {});
const stop = new AbortController();
let asked = 0;
for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => {
	asked += 1;
	stop.abort();
	if (asked > 1 && process.env.GITHUB_ACTIONS !== "true") process.exit(130);
	process.stdout.write("Stopping: a step that must not be interrupted is finished first.\n");
});
process.on("uncaughtException", (cause) => {
	process.stdout.write(`Unexpected: ${cause instanceof Error ? cause.stack ?? cause.message : String(cause)}\n`);
	process.exitCode = 1;
});
const { runAction } = await import("./chunk-run2.js");
process.exitCode = await runAction(stop.signal);
setTimeout(() => process.exit(), 3e3).unref();

export {  };