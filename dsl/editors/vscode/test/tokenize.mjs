// Reads {"grammar": folder, "texts": [...]} from standard input and writes, for each text, its tokens as
// [start, end, scopes] with offsets in UTF-16 units. It is VS Code's own tokenizer (vscode-textmate on Oniguruma).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "package.json"));
const { loadWASM, OnigScanner, OnigString } = require("vscode-oniguruma");
const { INITIAL, parseRawGrammar, Registry } = require("vscode-textmate");

const FILES = { "source.cnn": "cnn.tmLanguage.json", "markdown.cnn.codeblock": "cnn.markdown.tmLanguage.json" };
// As much of VS Code's Markdown grammar as the injection needs: a text, whose scope it is injected into.
const MARKDOWN = '{"scopeName": "text.html.markdown", "patterns": [{"match": "^#.*$", "name": "heading.markdown"}]}';

async function registry(folder) {
  await loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")).buffer);
  return new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new OnigScanner(patterns),
      createOnigString: (text) => new OnigString(text),
    }),
    getInjections: (scope) => (scope === "text.html.markdown" ? ["markdown.cnn.codeblock"] : []),
    async loadGrammar(scope) {
      if (scope === "text.html.markdown") return parseRawGrammar(MARKDOWN, "markdown.json");
      const path = join(folder, FILES[scope]);
      return parseRawGrammar(readFileSync(path, "utf8"), path);
    },
  });
}

function tokens(grammar, text) {
  const found = [];
  let stack = INITIAL;
  let offset = 0;
  for (const line of text.split("\n")) {
    const done = grammar.tokenizeLine(line, stack);
    for (const token of done.tokens) {
      const end = Math.min(token.endIndex, line.length);
      if (end > token.startIndex) found.push([offset + token.startIndex, offset + end, token.scopes]);
    }
    stack = done.ruleStack;
    offset += line.length + 1;
  }
  return found;
}

const order = JSON.parse(readFileSync(0, "utf8"));
const grammar = await (await registry(order.grammar)).loadGrammar(order.scope ?? "source.cnn");
process.stdout.write(JSON.stringify(order.texts.map((text) => tokens(grammar, text))));
