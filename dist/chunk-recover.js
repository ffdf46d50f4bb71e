import { o as getState } from "./chunk-core.js";
import { d as explanation, s as UpgradeError, u as errorsOf } from "./chunk-connection.js";
import { A as openTarget, Ct as recordSchema, D as writeReports, E as publish, G as renderSummaries, I as command, L as finish, O as writeSummary, R as isAlive, W as runName, h as openSession, j as recorderFor, m as openLog, t as tellGitHub, wt as hideIn } from "./chunk-tell-github.js";
import { join } from "node:path";
import { readFile } from "node:fs/promises";

/**
* The post step: finishes what main could not. It puts back what is switched off, completes the record, uploads.
* GitHub runs it also after a cancel, a failure, and when main was killed.
*/
/** @returns the exit code: the post step fails only where something could not be put back */
async function recoverAction() {
	const { log, secrets, github } = openLog();
	try {
		return await recover(log, secrets, github);
	} catch (cause) {
		for (const error of errorsOf(cause)) log.annotate({
			level: "error",
			title: `recovery: ${error.code}`,
			message: explanation(error)
		});
		await writeSummary("## ❌ The run was killed, and the post step could not look after it\n\nLook at the target yourself, then run the action with `mode: resume`.");
		return 1;
	}
}
async function recover(log, secrets, github) {
	const folder = getState("folder");
	if (!folder || getState("published") === "true" && getState("told") === "true") return 0;
	const names = JSON.parse(getState("targets") || "[]");
	const session = await openSession(log, secrets, github, new AbortController().signal, getState("spec"));
	const records = [];
	let failed = false;
	for (const name of names) {
		const text = await readFile(join(folder, name, "report.json"), "utf8").catch(() => null);
		if (text === null) continue;
		let record = recordSchema.parse(JSON.parse(text));
		if (record.result === null) {
			record = await recoverTarget(session, record).catch((cause) => {
				failed = true;
				for (const { message, hint } of errorsOf(cause)) log.annotate({
					level: "error",
					title: `${name}: recovery`,
					message: `${message}\n${hint ?? ""}`
				});
				return {
					...record,
					result: "failed",
					verdict: "The run was killed, and the post step could not find out how the target is.",
					state: "Unknown: look at the target."
				};
			});
			if (/Still switched off|does not serve/.test(record.state)) failed = true;
		}
		records.push(record);
		await writeReports(session, record);
	}
	if (getState("published") !== "true") await publish(session, records);
	if (getState("told") !== "true") await tellGitHub(session, records);
	if (getState("told") !== "true" && session.inputs.summary && records.length > 0) await writeSummary(renderSummaries(records.map((record) => hideIn(record, secrets))));
	return failed ? 1 : 0;
}
async function recoverTarget(session, killed) {
	const target = session.targets.find(({ spec }) => spec.name === killed.target.name);
	if (!target) throw new UpgradeError("target-unknown", `The spec has no target ${killed.target.name} any more.`);
	const recorder = recorderFor(target, session.context);
	const { record } = recorder;
	Object.assign(record, killed);
	for (const step of record.steps) if (step.state === "running") Object.assign(step, {
		state: "interrupted",
		finished: session.context.now().toISOString()
	});
	const run = await openTarget(target, session.context, recorder);
	try {
		const { begin } = run.journal.state();
		if (begin?.run === runName(session.context) && !isAlive(begin)) run.journal.adopt();
		const last = record.steps.at(-1);
		session.log.info(`${target.spec.name}: main was killed${last ? ` during "${last.title}"` : ""}; looking what to put back`);
		recorder.issue(new UpgradeError("killed", `The run was killed${last ? ` during "${last.title}"` : ""}.`), "The post step put back what was switched off.");
		const { steps } = run.journal.state();
		const touched = begin?.mode === "rollback" || [...steps.keys()].some((id) => id !== "backup");
		await finish(run, {
			result: "cancelled",
			verdict: `The run was killed${last ? ` during "${last.title}"` : ""}; what it had switched off was put back.`,
			next: touched ? command(run, begin?.mode === "rollback" ? "rollback" : "resume") : null,
			finished: !touched
		});
	} finally {
		await run.environment.close();
	}
	return record;
}

export { recoverAction };