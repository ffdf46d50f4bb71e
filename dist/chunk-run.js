import { l as saveState } from "./chunk-core.js";
import { d as explanation, f as messageOf, s as UpgradeError, u as errorsOf } from "./chunk-connection.js";
import { $ as warningsOf, B as findImage, C as eventOf, D as writeReports, E as publish, F as flatten, G as renderSummaries, H as parseImage, J as table, K as code, M as runTarget, N as writeWhole, O as writeSummary, P as waitingFor, Q as blocksOf, S as assertMerged, St as plainText, T as folderOf, U as looksOnly, V as largestManifest, X as changeOf, Y as words, Z as formatMeasure, _ as statusOf, _t as formatCount, a as ownComments, at as breaksWords, b as isMasked, bt as clip, c as marker, ct as statusWord, d as changesVersion, dt as downtimeWords, et as keyFacts, f as classify, ft as measureRows, g as openApi, gt as timingWords, h as openSession, ht as certaintyWords, i as setOutputs, it as asksApproval, k as planPath, l as newsOf, lt as titleWords, m as openLog, mt as byWords, n as exitCode, nt as outcomeOf, o as ownUser, ot as planAdvice, p as isPureMinor, pt as rowWords, q as stack, r as outputsOf, rt as approvalWords, s as markedTarget, st as undoWords, t as tellGitHub, tt as nextLines, u as kindWords, ut as furtherFacts, v as whyNot, vt as formatDuration, w as visibility, wt as hideIn, x as sqlFilesOf, xt as markdownBlock, y as keepManifests, yt as formatTime, z as readYaml } from "./chunk-tell-github.js";
import { join, relative } from "node:path";

/** What blocks and what warns, for a terminal: blocks of lines. */
/** Rows of one statement, names of one piece of advice. */
const MOST = 5;
/** Checks, statements, notes to read, unexpected differences. */
function blockLines(record) {
	const { checks, queries, facts, mustRead } = blocksOf(record);
	return [
		...checks.map(checkLines),
		...queries.map(queryLines),
		...mustRead.map(readLines),
		factLines("Changed unexpectedly:", facts)
	];
}
/** Checks that warn, notes to read, advice that applies, alerts. */
function warningLines(record) {
	const { checks, facts, mustRead, advice } = warningsOf(record);
	return [
		...checks.map(checkLines),
		...mustRead.map(readLines),
		...advice.map(adviceLines),
		factLines("Alerts:", facts)
	];
}
function checkLines(check) {
	const lines = [`${statusWord(check.status).toUpperCase()}: ${plainText(titleWords(check))} [${plainText(check.id)}]`];
	lines.push(...check.seen.map((line) => `  - ${plainText(line)}`));
	if (check.fix !== null) lines.push(`  To do: ${plainText(check.fix)}`);
	return lines;
}
function queryLines(query) {
	const { status, file, line, database, when, why, columns, rows, total } = query;
	const word = status === "error" ? "FAILED" : "BLOCKED";
	const shown = rows.slice(0, MOST);
	const cells = (row) => row.map((cell) => cell === null ? "null" : plainText(cell)).join(" | ");
	return [
		`${word}: your own SQL ${plainText(`${file}:${line}`)} in ${plainText(database)}, ${when} the upgrade`,
		...why === null ? [] : [`  ${plainText(why)}`],
		...status === "error" ? [] : [`  ${rowWords(total, shown.length)}`],
		...shown.length === 0 ? [] : [columns, ...shown].map((row) => `    ${cells(row)}`.trimEnd())
	];
}
function readLines({ version, why, link }) {
	return [
		`READ FIRST: the release notes of PostgreSQL ${plainText(version)}`,
		`  ${plainText(why)}`,
		`  ${plainText(link)}`
	];
}
function adviceLines(advice) {
	const names = advice.objects.map(({ database, name }) => database === null ? plainText(name) : `${plainText(name)} in ${plainText(database)}`);
	const shown = names.slice(0, MOST);
	const left = Math.max(advice.total, names.length) - shown.length;
	return [
		`RELEASE NOTES: ${plainText(advice.title)} [${plainText(advice.id)}], ${timingWords(advice.timing)}`,
		`  ${certaintyWords(advice)}. ${byWords(advice)}.`,
		...shown.map((name) => `  - ${name}`),
		...left > 0 ? [`  - and ${formatCount(left)} more`] : [],
		`  To do: ${plainText(advice.todo)}`,
		`  ${plainText(advice.link)}`
	];
}
function factLines(title, facts) {
	const lines = facts.map((fact) => `  - ${plainText(fact.name)}: ${valuesOf(fact)}${fact.why === null ? "" : `; ${plainText(fact.why)}`}`);
	return lines.length === 0 ? [] : [title, ...lines];
}
function valuesOf({ before, after, measure }) {
	if (measure === null) return `${plainText(before ?? "nothing")} → ${plainText(after ?? "nothing")}`;
	const change = changeOf(measure);
	const values = `${formatMeasure(measure.before, measure.unit)} → ${formatMeasure(measure.after, measure.unit)}`;
	return change === null ? values : `${values} (${change})`;
}

/** The plan in the log of mode plan: all of it, since there is nothing to unfold in a log. */
/** Lines; none where there is nothing to approve. */
function planLines(record) {
	const { plan } = record;
	if (!plan || !asksApproval(record)) return [];
	const listed = (title, items) => items.length === 0 ? [] : [`  ${title}:`, ...items.map((item) => `    - ${plainText(item)}`)];
	return [
		`The plan: ${plainText(`${plan.from} → ${plan.wanted} by ${plan.route}`)}`,
		...listed(`Risk ${plainText(plan.risk.class)}`, plan.risk.reasons),
		`  Expected downtime: ${plainText(downtimeWords(record))}`,
		...listed("Release advice", planAdvice(record)),
		...listed("To know before", plan.notes),
		...plan.steps.flatMap((step, index) => [
			`  ${index + 1}. ${plainText(step.title)}${step.interruptible ? "" : " (must not be interrupted)"}`,
			...step.does.map((text) => `       runs: ${plainText(text)}`),
			`       undo: ${plainText(undoWords(step))}`,
			`       clients notice: ${plainText(breaksWords(step))}`,
			...step.risks.map((text) => `       risk: ${plainText(text)}`)
		]),
		`  ${approvalWords(record).join(plainText(plan.digest))}`
	];
}

/** The short report for a terminal outside GitHub: no colours, no markup. */
/** Verdict, key facts, what blocks or warns, issues and the next step, as lines that end in a break. */
function renderPlain(record) {
	return `${[
		[`${outcomeOf(record).word.toUpperCase()}: ${plainText(record.verdict)}`],
		keyLines(record),
		rehearsalLines(record),
		planLines(record),
		...blockLines(record),
		...warningLines(record),
		overrideLines(record),
		switchedOffLines(record),
		issueLines(record),
		nextStepLines(record)
	].filter((lines) => lines.length > 0).map((lines) => lines.join("\n")).join("\n\n")}\n`;
}
function keyLines(record) {
	const facts = [...keyFacts(record), ...furtherFacts(record)];
	const width = Math.max(...facts.map((fact) => fact.label.length));
	return facts.map(({ label, value }) => {
		const text = value.map((part) => typeof part === "string" ? part : part.code).join("");
		return `  ${label.padEnd(width)}  ${plainText(text)}`;
	});
}
function rehearsalLines({ rehearsal }) {
	if (!rehearsal) return [];
	return [
		"Rehearsal:",
		...rehearsal.stages.map(({ title, state, durationMs }) => `  - ${state}: ${plainText(title)}${state === "skipped" ? "" : ` (${formatDuration(durationMs)})`}`),
		...measureRows(rehearsal).map(([label, value]) => `  ${label}: ${plainText(value)}`)
	];
}
function switchedOffLines(record) {
	const open = record.switchedOff.filter((entry) => entry.putBackAt === null);
	if (open.length === 0) return [];
	return ["Switched off and not put back:", ...open.map((entry) => `  - ${plainText(entry.what)} (since ${formatTime(entry.at)})`)];
}
function overrideLines({ overrides }) {
	if (overrides.length === 0) return [];
	return ["Overridden by name:", ...overrides.map(({ gate, by, what }) => `  - ${gate}, by ${plainText(by)}: ${plainText(what)}`)];
}
function issueLines(record) {
	if (record.issues.length === 0) return [];
	return ["Issues:", ...record.issues.flatMap((issue) => [
		`  - ${formatTime(issue.at)} ${plainText(issue.code)}: ${plainText(issue.what)}`,
		...issue.hint === null ? [] : [`    Hint: ${plainText(issue.hint)}`],
		`    Resolution: ${plainText(issue.resolution)}`
	])];
}
function nextStepLines(record) {
	const lines = nextLines(record.next);
	if (lines.length === 0) return [];
	return ["Next:", ...lines.map(({ kind, text }) => `${kind === "words" ? "  " : "    "}${kind === "output" ? /^ */.exec(text)?.[0] ?? "" : ""}${plainText(text)}`)];
}

/** Files of another commit, read through the API: what a pull request says of its base is not asked. */
/** Why a file could not be read; `absent` where the commit has no such file. */
var NotRead = class extends Error {
	absent;
	constructor(message, absent) {
		super(message);
		this.absent = absent;
	}
};
/** Milliseconds for one file. */
const patience$1 = 15e3;
/** Text of a file at a commit, at most 1 MiB. @throws NotRead */
async function fileAt({ client, repository }, path, ref) {
	const request = {
		signal: AbortSignal.timeout(patience$1),
		parseSuccessResponseBody: false
	};
	try {
		const { data } = await client.rest.repos.getContent({
			...repository,
			path,
			ref,
			mediaType: { format: "raw" },
			request
		});
		return await limited(data, path);
	} catch (cause) {
		if (cause instanceof NotRead) throw cause;
		if (statusOf(cause) === 404 && await hasCommit({
			client,
			repository
		}, ref)) throw new NotRead(`${path} does not exist at ${ref.slice(0, 12)}`, true);
		throw new NotRead(`${path} could not be read at ${ref.slice(0, 12)}: ${whyNot(cause, "contents: read")}`, false);
	}
}
/** GitHub says 404 too where the token may not look: a file is absent only where the rest of the commit is seen. */
async function hasCommit({ client, repository }, ref) {
	try {
		await client.rest.repos.getContent({
			...repository,
			path: "",
			ref,
			request: { signal: AbortSignal.timeout(patience$1) }
		});
		return true;
	} catch {
		return false;
	}
}
async function limited(body, path) {
	const parts = [];
	let bytes = 0;
	for await (const part of body) {
		bytes += part.length;
		if (bytes > 1048576) throw new NotRead(`${path} is larger than 1 MiB`, false);
		parts.push(part);
	}
	try {
		return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts));
	} catch {
		throw new NotRead(`${path} is not UTF-8`, false);
	}
}

/** What one commit's spec says of its targets, read loosely: an older spec need not be one that this version accepts. */
function isObject(value) {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
/** Paths of files that a spec names: a base must not lead anybody elsewhere either. */
const inside = /^(?!\/)(?!.*(^|\/)\.\.(\/|$)).+$/;
/**
* @param read text of a manifest of the same commit
* @throws what reading YAML throws
*/
async function sidesOf(text, file, read) {
	const { value } = readYaml(text, file);
	if (!isObject(value)) throw new Error(`${file} is no spec`);
	const { targets, ...top } = value;
	const sides = /* @__PURE__ */ new Map();
	for (const target of Array.isArray(targets) ? targets : []) {
		if (!isObject(target) || typeof target.name !== "string") continue;
		sides.set(target.name, await sideOf(target, top, read));
	}
	return sides;
}
async function sideOf({ postgres, ...rest }, top, read) {
	const others = {
		...flatten(rest),
		...flatten(top)
	};
	if (typeof postgres === "string" && /^\d+\.\d+$/.test(postgres)) return {
		version: postgres,
		image: null,
		rest: others
	};
	if (!isObject(postgres) || typeof postgres.from !== "string" || typeof postgres.image !== "string") return "its key postgres is neither a version nor a manifest";
	if (!inside.test(postgres.from)) return `its manifest ${postgres.from} lies outside of the repository`;
	try {
		const { image } = findImage(await read(postgres.from), postgres.from, postgres.image);
		const name = parseImage(postgres.image);
		return {
			version: image.version ?? "",
			image: {
				name: name ? `${name.registry}/${name.repository}` : postgres.image,
				suffix: image.suffix
			},
			rest: {
				...others,
				...flatten({ postgres })
			}
		};
	} catch (cause) {
		return messageOf(cause);
	}
}

/** Files that are compared; of more it is not known, and so they count as changed. */
const most = 50;
/**
* Adds the paths of the files that differ from the base to `others`, on a push only for targets whose version changes.
* One that cannot be read at the base counts as changed. Never throws.
* @param texts the files of the checkout, by path
*/
async function addChangedFiles(changes, targets, texts, api) {
	const known = /* @__PURE__ */ new Map();
	const differs = (file, base) => {
		const before = known.get(file);
		if (before) return before;
		const found = known.size >= most ? Promise.resolve(true) : fileAt(api, file, base).then((text) => text !== texts.get(file), () => true);
		known.set(file, found);
		return found;
	};
	for (const { spec } of targets) {
		const change = changes.get(spec.name);
		if (!change || ["new", "unknown"].includes(change.kind)) continue;
		if (change.kind === "none" && change.event === "push") continue;
		const files = [...new Set(sqlFilesOf(spec).map(({ file }) => file))];
		const changed = await Promise.all(files.map(async (file) => await differs(file, change.base) ? [file] : []));
		changes.set(spec.name, {
			...change,
			others: [...change.others, ...changed.flat().sort()]
		});
	}
}

/** What a pull request or a push changes at each target: the spec (or manifest) of its base against that of its head. */
/** By name of the target, removed ones too; empty for other events. Never throws. */
async function readChanges(session) {
	const start = startOf(process.env);
	if (!start) return /* @__PURE__ */ new Map();
	const { inputs, specText, manifests, log } = session;
	const changes = /* @__PURE__ */ new Map();
	const head = await sidesOf(specText, inputs.spec, manifests.read);
	try {
		const isNew = /^0+$/.test(start.base);
		const api = isNew ? null : await openApi(inputs.githubToken, process.env);
		if (!isNew && !api) throw new NotRead("there is no github-token to read the base with", false);
		const base = api ? await baseSides(api, session, start.base) : /* @__PURE__ */ new Map();
		for (const name of /* @__PURE__ */ new Set([...head.keys(), ...base.keys()])) changes.set(name, {
			...start,
			...compared(base.get(name) ?? null, head.get(name) ?? null)
		});
		if (api) await addChangedFiles(changes, session.targets, session.context.files, api);
	} catch (cause) {
		const why = messageOf(cause);
		log.annotate({
			level: "warning",
			title: "change",
			message: `What this ${start.event === "push" ? "push" : "pull request"} changes is not known: ${why}.`
		});
		for (const [name, side] of head) changes.set(name, {
			...start,
			...unknown(typeof side === "string" ? null : side, why)
		});
	}
	return changes;
}
/** Base and head of the event; null for an event without. */
function startOf(variables) {
	const { pull_request: request, before, after } = eventOf(variables);
	if (variables.GITHUB_EVENT_NAME?.startsWith("pull_request") && request) return {
		event: "pull_request",
		number: request.number,
		base: request.base.sha,
		head: request.head.sha
	};
	if (variables.GITHUB_EVENT_NAME === "push" && before) return {
		event: "push",
		number: null,
		base: before,
		head: after ?? variables.GITHUB_SHA ?? ""
	};
	return null;
}
/** What the base says; nothing where it has no spec. @throws NotRead and what YAML throws */
async function baseSides(api, { inputs }, base) {
	const workspace = process.env.GITHUB_WORKSPACE || process.cwd();
	const path = relative(workspace, inputs.specPath).replaceAll("\\", "/");
	try {
		return await sidesOf(await fileAt(api, path, base), path, (file) => fileAt(api, file, base));
	} catch (cause) {
		if (cause instanceof NotRead && cause.absent) return /* @__PURE__ */ new Map();
		throw cause;
	}
}
function compared(base, head) {
	if (typeof head === "string") return unknown(null, head);
	if (typeof base === "string") return unknown(head, base);
	return {
		...classify(base, head),
		why: null
	};
}
function unknown(head, why) {
	return {
		kind: "unknown",
		from: null,
		to: head?.version ?? null,
		others: [],
		why
	};
}

/** Names of the outputs whose value holds something that is masked. Pure. */
function droppedOutputs(outputs, variables, secrets) {
	const masks = Object.values(variables).filter(isMasked);
	return Object.entries(outputs).filter(([, value]) => secrets.hide(value) !== value || masks.some((mask) => value.includes(mask))).map(([name]) => name);
}
/** The runner only warns, in another place: an upgrade would then be asked for without its digest. */
function tellDropped(outputs, variables, secrets, log) {
	const names = droppedOutputs(outputs, variables, secrets);
	if (names.length === 0) return;
	log.annotate({
		level: names.includes("plan-digest") ? "error" : "warning",
		title: "outputs",
		message: `A masked value stands in ${names.length === 1 ? "the output" : "the outputs"} ${names.join(", ")}: another job does not get ${names.length === 1 ? "it" : "them"}.\nA value of the input variables, or a password, is too short or too common. Take another one; what is no secret belongs into the step's env.`
	});
}

/** Whether a dump may leave the machine as an artifact: decided before anything is done. */
/**
* Refuses a dump in a public repository, encrypted or not: everybody may download it, and keep it until a key
* leaks; and refuses a dump in clear without the sentence that allows it.
* @throws UpgradeError `dump-public`, `dump-in-clear`
*/
function assertDumpAllowed(targets, artifacts, visibility) {
	if (artifacts !== "all") return;
	if (visibility !== "private") throw new UpgradeError("dump-public", visibility === "public" ? "A dump is not uploaded from a public repository: everybody could download it." : "Nothing tells whether this repository is public, so no dump is uploaded from it.", {
		phase: "inputs",
		hint: visibility === "public" ? "Use artifacts: reports; the backup itself stays at backup.directory." : "Pass github-token with contents: read, so that the action can ask; or use artifacts: reports.",
		docs: "artifacts.md#dumps"
	});
	for (const { spec, place } of targets) {
		if (spec.backup["encrypt-to"].length > 0 || spec.backup["publish-unencrypted"]) continue;
		throw new UpgradeError("dump-in-clear", `The dump of ${spec.name} would be uploaded in clear.`, {
			phase: "inputs",
			hint: "Name age recipients in backup.encrypt-to (age-keygen makes a pair), or use artifacts: reports.",
			docs: "artifacts.md#dumps",
			place
		});
	}
}

const DETAIL$1 = {
	items: 10,
	characters: 300,
	everything: false
};
/**
* @param marker hidden first line
* @param change null where neither side has the target
* @param head full commit SHA
*/
function renderLeft(marker, name, change, head) {
	const removed = change === null || change.kind === "removed";
	const others = (change?.others ?? []).slice(0, DETAIL$1.items).map((key) => code(key, DETAIL$1));
	const left = (change?.others.length ?? 0) - others.length;
	const said = removed ? "it is not in the spec of this pull request. Nothing is done to it." : "its version stays.";
	return `${stack(`${marker}\n## ⏭️ ${words(`${name}: this pull request does not upgrade it`, DETAIL$1)}`, `At this commit ${said} What stood here was of an earlier one.`, others.length > 0 && `> [!WARNING]\n> It still changes ${others.join(", ")}${left > 0 ? ` and ${left} more` : ""} of ${code(name, DETAIL$1)}. Read these lines before you merge.`, `<sub>Head ${head === "" ? "not known" : code(head, DETAIL$1)}, mode list.</sub>`)}\n`;
}

/** Mode `list` on a pull request: comments of targets that it leaves alone by now. No other job runs for those. */
/** Milliseconds for all calls. */
const patience = 2e4;
/** Updates what is there, and writes nothing new. Never throws: what could not be done is a line in the log. */
async function updateLeft(session, changes) {
	const { github, inputs, log, secrets } = session;
	const request = eventOf(process.env).pull_request;
	if (!github || !inputs.comment || process.env.GITHUB_EVENT_NAME !== "pull_request" || !request) return;
	try {
		const api = await openApi(inputs.githubToken, process.env);
		if (!api) return;
		const signal = AbortSignal.timeout(patience);
		const seen = /* @__PURE__ */ new Set();
		const left = [];
		for await (const comment of ownComments(api, request.number, await ownUser(api, signal), signal)) {
			const name = markedTarget(comment.body, "comment", inputs.spec);
			if (name === null || seen.has(name)) continue;
			seen.add(name);
			if (changesVersion(changes.get(name) ?? null)) continue;
			const line = marker("comment", inputs.spec, name);
			const text = secrets.hide(renderLeft(line, name, changes.get(name) ?? null, request.head.sha));
			if (newsOf(comment.body) !== newsOf(text)) left.push([comment, text]);
		}
		for (const [comment, body] of left) {
			const { client, repository } = api;
			await client.rest.issues.updateComment({
				...repository,
				comment_id: comment.id,
				body,
				request: { signal }
			});
			log.info(`The comment of a target that the pull request leaves alone was updated: ${comment.url}`);
		}
	} catch (cause) {
		log.info(`Comments of targets that the pull request leaves alone could not be updated: ${whyNot(cause, "pull-requests: write")}.`);
	}
}

/** Mode `list`: which targets there are, for a matrix. Opens none of them. */
/** @returns the exit code */
async function listTargets(session, changes) {
	const { targets, all, context, log, github, inputs } = session;
	const listed = [];
	for (const target of targets.toSorted((a, b) => a.spec.wave - b.spec.wave)) listed.push(listedOf(target, changes.get(target.spec.name) ?? null, await waitingFor(target, all, context)));
	for (const { name, postgres, wave, change, ready, ...rest } of listed) log.info(`${name}: PostgreSQL ${postgres}, wave ${wave}${change === null ? "" : `, ${kindWords(change)}`}, ${ready ? "ready" : `waits: ${fewWaits(rest["waits-for"]).join("; ")}`}`);
	if (!github) return 0;
	setOutputs(listOutputs(listed, changes));
	if (inputs.summary) await writeSummary(listSummary(listed, changes));
	await updateLeft(session, changes);
	return 0;
}
function listedOf({ spec }, change, waits) {
	return {
		name: spec.name,
		wave: spec.wave,
		postgres: spec.postgres,
		environment: spec.environment.kind,
		change: change?.kind ?? null,
		from: change?.from ?? null,
		to: change?.to ?? null,
		ready: waits.length === 0,
		"waits-for": waits
	};
}
/** What a target waits for, as far as an output may tell: each later target has the same earlier ones. */
const mostWaits = 3;
const mostCharacters = 300;
/** The first few, and how many there are besides: GitHub takes 1 MB of outputs from a job. */
function fewWaits(waits) {
	const left = waits.length - mostWaits;
	return [...waits.slice(0, mostWaits).map((why) => clip(why, mostCharacters)), ...left > 0 ? [`and ${left} more`] : []];
}
/** Outputs of the mode by name. Pure. */
function listOutputs(listed, changes) {
	const changeOf = ({ name }) => changes.get(name) ?? null;
	const waves = Map.groupBy(listed.filter(({ ready }) => ready), ({ wave }) => wave);
	const names = (of) => of.map(({ name }) => name);
	return {
		result: "success",
		changed: "false",
		targets: JSON.stringify(listed.map((each) => ({
			...each,
			"waits-for": fewWaits(each["waits-for"])
		}))),
		waves: JSON.stringify([...waves].sort(([a], [b]) => a - b).map(([wave, of]) => ({
			wave,
			targets: names(of)
		}))),
		"changed-targets": JSON.stringify(names(listed.filter((each) => changesVersion(changeOf(each))))),
		"minor-targets": JSON.stringify(names(listed.filter((each) => isPureMinor(changeOf(each)))))
	};
}
const DETAIL = {
	items: 256,
	characters: 300,
	everything: false
};
/** A table of all targets, and what they wait for. Pure. */
function listSummary(listed, changes) {
	const rows = listed.map((each) => {
		const change = changes.get(each.name);
		const others = change?.others.length ?? 0;
		return [
			code(each.name, DETAIL),
			String(each.wave),
			each.change === null || each.from === null || each.from === each.to ? each.postgres : words(`${each.from} → ${each.to}`, DETAIL),
			each.change === null ? "" : `${kindWords(each.change)}${others > 0 ? `, and ${others} more: ${change?.others.slice(0, 5).map((key) => code(key, DETAIL)).join(", ")}` : ""}`,
			each.ready ? "yes" : words(each["waits-for"].join("; "), DETAIL)
		];
	});
	const removed = [...changes.values()].filter(({ kind }) => kind === "removed").length;
	return stack(`## Targets (${listed.length})`, table([
		"Target",
		"Wave",
		"PostgreSQL",
		"Change",
		"Ready"
	], rows, DETAIL), removed > 0 && `Removed from the spec: ${removed}. Nothing is done to them.`);
}

/** Runs the action. @returns the exit code */
async function runAction(signal) {
	const { log, secrets, github } = openLog();
	let session;
	try {
		session = await openSession(log, secrets, github, signal);
		if (github) assertMerged(session.inputs.mode, process.env.GITHUB_EVENT_NAME ?? "");
		if (github && session.inputs.mode !== "list") assertDumpAllowed(session.targets, session.inputs.artifacts, session.inputs.artifacts === "all" ? await visibility(process.env, session.inputs.githubToken) : "unknown");
	} catch (cause) {
		await reportEarly(cause, log, secrets, github);
		return 1;
	}
	const { inputs, targets, context } = session;
	if (github && inputs.mode !== "list") {
		saveState("folder", inputs.outputDirectory);
		saveState("spec", keepSpec(session));
		keepManifests(inputs.outputDirectory, session.manifests);
		saveState("targets", JSON.stringify(targets.map(({ spec }) => spec.name)));
	}
	log.info(`Mode ${inputs.mode}, spec ${inputs.spec}, ${targets.length === 1 ? "target" : "targets"} ${targets.map(({ spec }) => spec.name).join(", ")}`);
	const changes = await readChanges(session);
	if (inputs.mode === "list") return await listTargets(session, changes);
	const records = [];
	for (const target of inOrder(targets)) {
		const record = await runTarget(target, {
			...context,
			changes
		});
		records.push(record);
		await writeReports(session, record);
		if (exitCode(context.mode, [record]) === 1 && !looksOnly(context.mode)) break;
	}
	for (const target of inOrder(targets).slice(records.length)) log.info(`${target.spec.name} was not started, because the target before it failed.`);
	if (!signal.aborted) await publish(session, records);
	if (!signal.aborted) await tellGitHub(session, records);
	await tellResult(session, records);
	return exitCode(context.mode, records);
}
/** Waves in their order, targets of a wave as in the spec. */
function inOrder(targets) {
	return targets.toSorted((a, b) => a.spec.wave - b.spec.wave);
}
/** Keeps the spec for the post step. */
function keepSpec({ inputs, specText }) {
	const copy = join(inputs.outputDirectory, "spec.yaml");
	writeWhole(copy, specText);
	return copy;
}
async function tellResult(session, records) {
	const { inputs, github, log, secrets } = session;
	const clean = records.map((record) => hideIn(record, secrets));
	for (const record of clean) log.info(`\n${renderPlain(record)}`);
	if (!github) {
		for (const record of records) log.info(`Report: ${join(folderOf(session, record), "report.html")}`);
		return;
	}
	const outputs = outputsOf(records, (record) => join(folderOf(session, record), "report.json"), (record) => planPath(record, inputs.outputDirectory));
	setOutputs(outputs);
	tellDropped(outputs, inputs.variables, secrets, log);
	if (inputs.summary) await writeSummary(renderSummaries(clean));
	saveState("told", "true");
}
/** An error before any target was opened: annotations, and a summary that says so. */
async function reportEarly(cause, log, secrets, github) {
	const errors = errorsOf(cause);
	for (const error of errors) log.annotate({
		level: "error",
		title: error.code,
		message: explanation(error),
		place: error.place
	});
	if (!github) return;
	setOutputs({
		result: "failed",
		changed: "false",
		targets: "[]"
	});
	await writeSummary(`## ❌ Nothing was started\n\n${errors.map(({ message, hint }) => markdownBlock(secrets.hide([message, hint ?? ""].join("\n").trim()).split("\n"))).join("\n\n")}`);
	saveState("told", "true");
	saveState("published", "true");
}

export { runAction };