/**
* A line as it may be printed. The runner reads commands from any line of output: `::name::` at its start and
* the older `##[name]` anywhere, so text from a server or a tool is kept from looking like either.
*/
function printable(text) {
	return text.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "�").split("\n").map((line) => line.replace(/^(\s*)::/, "$1: :").replaceAll("##[", "# #[")).join("\n");
}

/** What is said of an error that nobody expected: like everything else, without secrets and without commands. */
let hide = (text) => text;
/** From now on this hides the secrets of the run. */
function hideUnexpected(secretsIn) {
	hide = secretsIn;
}
/** The lines to print, with the end of the last one. */
function unexpected(cause) {
	const text = cause instanceof Error ? cause.stack ?? cause.message : String(cause);
	return `${printable(hide(`Unexpected: ${text}`))}\n`;
}

export { unexpected as n, printable as r, hideUnexpected as t };