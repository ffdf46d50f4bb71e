// src/post.ts
/** What GitHub runs at the end of the job, also after a cancel and when main was killed. */
process.stdout.on("error", () => {});
const { recoverAction } = await import("./chunk-recover.js");
process.exitCode = await recoverAction();
setTimeout(() => process.exit(), 3e3).unref();

export {  };