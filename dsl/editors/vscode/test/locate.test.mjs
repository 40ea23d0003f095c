// The search for the program on machines that are only described, and what commands read out of a text.
import assert from "node:assert/strict";
import { test } from "node:test";

import { build } from "esbuild";

async function compiled(file) {
  const done = await build({ bundle: true, entryPoints: [file], format: "esm", platform: "node", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(done.outputFiles[0].text).toString("base64")}`);
}

const { filledIn, installCommand, locate } = await compiled("src/locate.ts");
const { codeAt, modelAt, modelsIn } = await compiled("src/reading.ts");

function machine(programs, { folders = [], environment = {}, windows = false } = {}) {
  const home = windows ? "C:\\Users\\ada" : "/home/ada";
  return { windows, home, environment, isProgram: (file) => programs.includes(file), isFolder: (file) => folders.includes(file) };
}

const EVERYWHERE = ["/opt/striate", "/net/.venv/bin/striate", "/net2/.venv/bin/striate", "/conda/bin/striate", "/usr/bin/striate"];
const WISHES = { configured: "", folders: ["/net", "/net2"], interpreter: "/conda/bin/python" };
const PATH = { PATH: "/sbin:/usr/bin" };

test("the search goes from the setting over the workspace and the interpreter to the PATH", () => {
  const steps = [
    ["setting", { ...WISHES, configured: "/opt/striate" }, EVERYWHERE, "/opt/striate"],
    ["workspace", WISHES, EVERYWHERE, "/net/.venv/bin/striate"],
    ["workspace", WISHES, EVERYWHERE.slice(2), "/net2/.venv/bin/striate"],
    ["interpreter", WISHES, EVERYWHERE.slice(3), "/conda/bin/striate"],
    ["PATH", WISHES, EVERYWHERE.slice(4), "/usr/bin/striate"],
  ];
  for (const [origin, wishes, programs, program] of steps) {
    assert.deepEqual(locate(wishes, machine(programs, { environment: PATH })), { program, origin });
  }
});

test("an environment of the Python extension may be named by its folder", () => {
  const found = locate({ ...WISHES, interpreter: "/conda" }, machine(["/conda/bin/striate"], { folders: ["/conda"] }));
  assert.deepEqual(found, { program: "/conda/bin/striate", origin: "interpreter" });
});

test("a setting that leads nowhere is not passed over", () => {
  const found = locate({ ...WISHES, configured: "/gone" }, machine(EVERYWHERE, { environment: PATH }));
  assert.deepEqual(found, { program: undefined, looked: ["/gone"], interpreter: undefined });
});

test("where nothing is found, it says what was looked at and into what to install", () => {
  const found = locate(WISHES, machine([], { folders: ["/net2/.venv"], environment: PATH }));
  assert.deepEqual(found.looked, ["/net/.venv/bin/striate", "/net2/.venv/bin/striate", "/conda/bin/striate", "the PATH"]);
  assert.equal(installCommand(found.interpreter), "/net2/.venv/bin/python -m pip install 'striate[editor]'");
  const chosen = locate(WISHES, machine(["/conda/bin/python"], { environment: PATH }));
  assert.equal(installCommand(chosen.interpreter), "/conda/bin/python -m pip install 'striate[editor]'");
  assert.equal(installCommand(undefined), "pip install 'striate[editor]'");
  assert.equal(installCommand("/my nets/python"), "\"/my nets/python\" -m pip install 'striate[editor]'");
});

test("a relative entry of the PATH is left out: it could be a stranger's file", () => {
  const found = locate({ ...WISHES, folders: [], interpreter: undefined }, machine(["striate", "bin/striate"], { environment: { PATH: ":.:bin" } }));
  assert.equal(found.program, undefined);
});

test("on Windows it looks for striate.exe in Scripts, and on the Path", () => {
  const own = "C:\\net\\.venv\\Scripts\\striate.exe";
  const wishes = { configured: "", folders: ["C:\\net"], interpreter: undefined };
  assert.deepEqual(locate(wishes, machine([own], { windows: true })), { program: own, origin: "workspace" });
  const environment = { Path: "C:\\Windows;D:\\tools" };
  const found = locate(wishes, machine(["D:\\tools\\striate.exe"], { windows: true, environment }));
  assert.deepEqual(found, { program: "D:\\tools\\striate.exe", origin: "PATH" });
});

test("the places of a setting are filled in", () => {
  const here = machine([], { environment: { TOOLS: "/tools" } });
  assert.equal(filledIn("~/bin/striate", "/net", here), "/home/ada/bin/striate");
  assert.equal(filledIn("${workspaceFolder}/.venv/bin/striate", "/net", here), "/net/.venv/bin/striate");
  assert.equal(filledIn("${env:TOOLS}/striate", "/net", here), "/tools/striate");
  assert.equal(filledIn("env/bin/striate", "/net", here), "/net/env/bin/striate");
  assert.equal(filledIn("/a~b/striate", "/net", here), "/a~b/striate");
});

const TEXT = "# model No\nmodel A {\n  relu\n}\n  model B = A(b = 2)\nblock model2 { }\n";

test("models are found by their definitions, and the one around the cursor by its place", () => {
  assert.deepEqual(modelsIn(TEXT).map((each) => each.name), ["A", "B"]);
  assert.equal(modelAt(TEXT, 3), undefined);
  assert.equal(modelAt(TEXT, TEXT.indexOf("relu")), "A");
  assert.equal(modelAt(TEXT, TEXT.indexOf("b = 2")), "B");
});

test("a code is read where the cursor stands in it or at its edge", () => {
  const line = "relu  # allow W0102, W0107";
  assert.equal(codeAt(line, 14), "W0102");
  assert.equal(codeAt(line, 19), "W0102");
  assert.equal(codeAt(line, 23), "W0107");
  assert.equal(codeAt(line, 2), undefined);
});
