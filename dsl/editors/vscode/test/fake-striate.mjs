// A stand-in for the program `striate`: a language server that finds one mistake in every text, and commands that repeat
// what they were asked. With FAKE_STRIATE=broken it ends at once, as where its editor extra is missing.
import { appendFileSync } from "node:fs";

const words = process.argv.slice(2);
if (process.env.FAKE_STRIATE === "broken") {
  process.stderr.write("error[E0704]: the language server needs pygls\n");
  process.exit(1);
}
if (words[0] !== "lsp") {
  const fails = words.includes("E9999") || words[0] === "expand";
  if (fails) process.stderr.write(`Usage: striate [OPTIONS]\n\nError: there is no ${words.join(" ")}\n`);
  else process.stdout.write(`${JSON.stringify({ words, columns: process.env.COLUMNS, cwd: process.cwd() })}\n`);
  process.exit(fails ? 2 : 0);
}

function send(message) {
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
  process.stdout.write(`Content-Length: ${body.length}\r\n\r\n`);
  process.stdout.write(body);
}

const REPLIES = {
  initialize: { capabilities: { textDocumentSync: 1 }, serverInfo: { name: "fake" } },
  shutdown: null,
};

function received({ id, method, params }) {
  appendFileSync(process.env.FAKE_LOG, `${method}\n`);
  if (method in REPLIES) send({ id, result: REPLIES[method] });
  if (method === "textDocument/didOpen") {
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 5 } };
    const diagnostics = [{ range, severity: 1, code: "E0203", source: "striate", message: "sizes differ" }];
    send({ method: "textDocument/publishDiagnostics", params: { uri: params.textDocument.uri, diagnostics } });
  }
  if (method === "exit") process.exit(0);
}

let buffer = Buffer.alloc(0);
process.stdin.on("data", (data) => {
  buffer = Buffer.concat([buffer, data]);
  for (;;) {
    const head = buffer.indexOf("\r\n\r\n");
    if (head === -1) return;
    const length = Number(/Content-Length: (\d+)/i.exec(buffer.subarray(0, head).toString())[1]);
    if (buffer.length < head + 4 + length) return;
    const body = buffer.subarray(head + 4, head + 4 + length).toString();
    buffer = buffer.subarray(head + 4 + length);
    received(JSON.parse(body));
  }
});
