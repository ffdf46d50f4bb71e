import { t as connect } from "./chunk-connection.js";
import { parentPort, workerData } from "node:worker_threads";

/**
* The probe's own thread: a client that commits a real transaction every few milliseconds and reconnects as soon
* as it can. A thread, so that work in the main one is not taken for downtime of the server.
*/
const { settings, everyMs } = workerData;
const most = 5e4;
let attempts = 0;
let failures = 0;
let longestGap = 0;
let gapStarted = null;
let firstFailure = null;
let firstSuccess = null;
let lastSuccess = null;
let stopping = false;
const before = [];
const after = [];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** An id of its own makes it a writing transaction, with a commit record in the WAL, without touching a table. */
async function transact(connection) {
	await connection.script("BEGIN; SELECT pg_catalog.pg_current_xact_id(); COMMIT");
}
function succeeded(took) {
	const now = Date.now();
	if (lastSuccess !== null && now - lastSuccess > longestGap) {
		longestGap = now - lastSuccess;
		gapStarted = lastSuccess;
	}
	if (firstFailure !== null && firstSuccess === null) firstSuccess = now;
	lastSuccess = now;
	const list = firstFailure === null ? before : after;
	if (list.length < most) list.push(took);
}
function report() {
	return {
		attempts,
		failures,
		longestGap,
		gapStarted,
		firstFailure,
		firstSuccess,
		lastSuccess,
		before,
		after
	};
}
async function loop() {
	let connection = null;
	while (!stopping) {
		const begun = performance.now();
		attempts += 1;
		try {
			connection ??= await connect(settings, {
				name: "postgres-upgrade probe",
				timeout: 2e3,
				statementTimeout: 5e3
			});
			await transact(connection);
			succeeded(performance.now() - begun);
		} catch {
			failures += 1;
			firstFailure ??= Date.now();
			await connection?.close();
			connection = null;
		}
		const rest = everyMs - (performance.now() - begun);
		if (rest > 0) await pause(rest);
	}
	await connection?.close();
}
parentPort?.on("message", (message) => {
	if (message === "stop") stopping = true;
	else parentPort?.postMessage({
		kind: "report",
		report: report()
	});
});
await loop();
parentPort?.postMessage({
	kind: "final",
	report: report()
});
parentPort?.close();

export {  };