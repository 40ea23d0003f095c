// The bundled extension in a stand-in for the editor, with the real language client and a stand-in for `striate`.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

const require = createRequire(import.meta.url);
const { fakeEditor } = require("./fake-editor.cjs");
const BUNDLE = resolve("dist/extension.js");
const PROGRAM = resolve("test/fake-striate.mjs");

let folder;
let running;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "striate-extension-"));
  process.env.FAKE_LOG = join(folder, "log");
  process.env.PATH = join(folder, "nothing");
  delete process.env.FAKE_STRIATE;
});

afterEach(async () => {
  await running?.extension.deactivate();
  running = undefined;
  rmSync(folder, { recursive: true });
});

function install(...place) {
  const bin = join(folder, ...place);
  mkdirSync(bin, { recursive: true });
  const file = join(bin, "striate");
  writeFileSync(file, `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

async function activated(options = {}) {
  const editor = fakeEditor({ folder, ...options });
  const load = Module._load;
  Module._load = (name, ...rest) => (name === "vscode" ? editor.vscode : load(name, ...rest));
  try {
    delete require.cache[BUNDLE];
    running = { editor, extension: require(BUNDLE), context: { subscriptions: [] } };
  } finally {
    Module._load = load;
  }
  await running.extension.activate(running.context);
  return editor;
}

async function eventually(question) {
  for (let tries = 0; tries < 1200; tries += 1) {
    const answer = question();
    if (answer) return answer;
    await pause(25);
  }
  return assert.fail(`never came true: ${question}`);
}

const spoken = () => (existsSync(process.env.FAKE_LOG) ? readFileSync(process.env.FAKE_LOG, "utf8").split("\n") : []);

function opened(editor, text, name = "net.cnn") {
  const document = new editor.Document(editor.Uri.file(join(folder, name)), text);
  editor.documents.push(document);
  editor.vscode.window.activeTextEditor = { document, selection: { active: new editor.Position(0, 0) } };
  editor.fire("workspace.onDidOpenTextDocument", document);
  return document;
}

test("the server of the workspace's .venv finds mistakes in an opened text, and ends with the editor", async () => {
  const program = install(".venv", "bin");
  const editor = await activated();
  assert.deepEqual(editor.seen.errors, []);
  assert.ok(editor.seen.log.some((line) => line.includes(`${program} lsp (from: workspace)`)));
  const document = opened(editor, "model Net {}\n");
  const [finding] = await eventually(() => editor.seen.findings.get(document.uri.toString()));
  assert.equal(finding.message, "sizes differ");
  assert.equal(finding.source, "striate");
  await running.extension.deactivate();
  await eventually(() => spoken().includes("exit"));
  assert.deepEqual(spoken().slice(0, 2), ["initialize", "initialized"]);
});

test("texts of other languages are not shown to the server", async () => {
  install(".venv", "bin");
  const editor = await activated();
  const document = new editor.Document(editor.Uri.file(join(folder, "a.py")), "x = 1\n", "python");
  editor.documents.push(document);
  editor.fire("workspace.onDidOpenTextDocument", document);
  opened(editor, "model Net {}\n");
  await eventually(() => spoken().includes("textDocument/didOpen"));
  assert.equal(spoken().filter((line) => line === "textDocument/didOpen").length, 1);
});

test("where there is no program, one message says what to install", async () => {
  const editor = await activated();
  assert.equal(editor.seen.errors.length, 1);
  assert.match(editor.seen.errors[0], /Install it with: pip install 'striate\[editor\]'$/);
  assert.deepEqual(spoken(), []);
});

test("the message's button copies the command for the workspace's environment", async () => {
  mkdirSync(join(folder, ".venv"));
  const editor = fakeEditor({ folder });
  editor.answers.button = (_, buttons) => buttons.find((each) => each === "Copy Command");
  const load = Module._load;
  Module._load = (name, ...rest) => (name === "vscode" ? editor.vscode : load(name, ...rest));
  delete require.cache[BUNDLE];
  running = { editor, extension: require(BUNDLE), context: { subscriptions: [] } };
  Module._load = load;
  await running.extension.activate(running.context);
  const copied = await eventually(() => editor.seen.notes[0]);
  assert.equal(copied, `${join(folder, ".venv/bin/python")} -m pip install 'striate[editor]'`);
});

test("a server that cannot start is told once, with its reason, and is not started again", async () => {
  install(".venv", "bin");
  process.env.FAKE_STRIATE = "broken";
  const editor = await activated();
  await eventually(() => editor.seen.errors.length > 0);
  await pause(200);
  assert.equal(editor.seen.errors.length, 1, editor.seen.errors.join("\n"));
  assert.match(editor.seen.errors[0], /needs pygls .*pip install 'striate\[editor\]'/);
});

test("restarting takes the program that the setting names by then", async () => {
  install(".venv", "bin");
  const settings = {};
  const editor = await activated({ settings });
  settings["striate.path"] = install("elsewhere");
  editor.fire("workspace.onDidChangeConfiguration", { affectsConfiguration: (name) => name === "striate.path" });
  await eventually(() => editor.seen.log.some((line) => line.includes("elsewhere/striate lsp (from: setting)")));
  await eventually(() => spoken().filter((line) => line === "initialize").length === 2);
  await editor.seen.commands.get("striate.restartServer")();
  assert.equal(spoken().filter((line) => line === "initialize").length, 3);
  assert.equal(spoken().filter((line) => line === "exit").length, 2);
});

test("the interpreter of the Python extension is asked, and a new choice starts the server anew", async () => {
  install("chosen", "bin");
  let listener;
  const environments = {
    getActiveEnvironmentPath: () => ({ path: join(folder, "chosen", "bin", "python") }),
    onDidChangeActiveEnvironmentPath: (each) => ((listener = each), { dispose() {} }),
  };
  const extensions = { "ms-python.python": { activate: async () => ({ environments }) } };
  const editor = await activated({ extensions });
  assert.ok(editor.seen.log.some((line) => line.includes("lsp (from: interpreter)")));
  listener();
  await eventually(() => spoken().filter((line) => line === "initialize").length === 2);
});

test("nothing is started before the workspace is trusted", async () => {
  install(".venv", "bin");
  const editor = await activated({ trusted: false });
  opened(editor, "model Net {}\n");
  await editor.seen.commands.get("striate.showSummary")();
  assert.match(editor.seen.notes.join(), /once this workspace is trusted/);
  assert.deepEqual(spoken(), []);
  editor.vscode.workspace.isTrusted = true;
  editor.fire("workspace.onDidGrantWorkspaceTrust");
  await eventually(() => spoken().includes("initialized"));
});

test("the summary of the picked model is shown beside the text, which is saved first", async () => {
  install(".venv", "bin");
  const editor = await activated();
  const document = opened(editor, "model A {}\nmodel B = A\n");
  document.isDirty = true;
  editor.answers.pick = (items) => items[1];
  await editor.seen.commands.get("striate.showSummary")();
  assert.equal(document.isDirty, false);
  assert.deepEqual(editor.seen.picks, [["A", "B"]]);
  const [{ title, language, text }] = editor.seen.shown;
  assert.deepEqual([title, language], ["B summary.txt", "plaintext"]);
  const asked = JSON.parse(text);
  assert.deepEqual(asked.words, ["summary", "--model", "B", "--", document.uri.fsPath]);
  assert.equal(asked.cwd, folder);
});

test("a command that fails says what the program said", async () => {
  install(".venv", "bin");
  const editor = await activated();
  opened(editor, "model A {}\n");
  await editor.seen.commands.get("striate.expand")();
  assert.match(editor.seen.errors.join(), /^striate expand: Error: there is no expand --model A/);
  assert.deepEqual(editor.seen.shown, []);
});

test("the code at the cursor is explained: the written one, the finding's, or the one that is typed", async () => {
  install(".venv", "bin");
  const editor = await activated();
  const document = opened(editor, "model A {}  # allow W0102\n");
  const explain = editor.seen.commands.get("striate.explainCode");
  const asked = () => JSON.parse(editor.seen.shown.at(-1).text).words;
  await eventually(() => editor.seen.findings.get(document.uri.toString()));
  await explain();
  assert.deepEqual(asked(), ["explain", "E0203"]);
  editor.vscode.window.activeTextEditor.selection.active = new editor.Position(0, 22);
  await explain();
  assert.deepEqual(asked(), ["explain", "W0102"]);
  editor.vscode.window.activeTextEditor = undefined;
  editor.answers.input = ({ validateInput }) => (validateInput("E1") && !validateInput("E0101") ? "E0101" : "");
  await explain();
  assert.deepEqual(asked(), ["explain", "E0101"]);
  assert.equal(editor.seen.shown.at(-1).language, "markdown");
});

test("a setting that leads nowhere is named, and nothing else is taken in its place", async () => {
  install(".venv", "bin");
  const editor = await activated({ settings: { "striate.path": "${workspaceFolder}/gone/striate" } });
  assert.match(editor.seen.errors[0], new RegExp(`looked for ${join(folder, "gone/striate")}\\)`));
  assert.deepEqual(spoken(), []);
});

// Where STRIATE_PROGRAM names the real program, the same extension speaks with it.
const REAL = process.env.STRIATE_PROGRAM;

const FAULTY = `model Net {
  input image: 3 x 32 x 32
  conv(16, 3) as early
  early -> conv(16, 3, pad = 1) -> relu -> conv(16, 3) -> add(early)
  output y
}
`;

test("the real server tells the sizes that differ, takes the repair, and is content", { skip: !REAL }, async () => {
  const editor = await activated({ settings: { "striate.path": REAL } });
  const document = opened(editor, FAULTY);
  const file = document.uri.toString();
  const [finding] = await eventually(() => editor.seen.findings.get(file));
  assert.equal(finding.code?.value ?? finding.code, "E0203");
  assert.match(finding.message, /28 and 30/);
  assert.deepEqual([finding.range.start.line, finding.severity], [3, 0]);
  document.text = FAULTY.replace("-> conv(16, 3) ->", "-> conv(16, 3, pad = 1) ->");
  document.version += 1;
  editor.fire("workspace.onDidChangeTextDocument", { document, contentChanges: [{ text: document.text }] });
  await eventually(() => editor.seen.findings.get(file)?.length === 0);
});

test("the commands show what the real program says", { skip: !REAL }, async () => {
  const editor = await activated({ settings: { "striate.path": REAL } });
  const document = opened(editor, FAULTY.replace("-> conv(16, 3) ->", "-> conv(16, 3, pad = 1) ->"));
  writeFileSync(document.uri.fsPath, document.text);
  await editor.seen.commands.get("striate.showSummary")();
  assert.match(editor.seen.shown.at(-1).text, /16 x 30 x 30/);
  await editor.seen.commands.get("striate.expand")();
  assert.match(editor.seen.shown.at(-1).text, /^model Net/m);
  editor.vscode.window.activeTextEditor = undefined;
  editor.answers.input = () => "E0203";
  await editor.seen.commands.get("striate.explainCode")();
  assert.match(editor.seen.shown.at(-1).text, /E0203/);
  assert.deepEqual(editor.seen.errors, []);
});
