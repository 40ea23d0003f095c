// The commands that ask `striate` something about a file and show its answer beside it.

import { execFile } from "node:child_process";
import * as path from "node:path";

import * as vscode from "vscode";

import { codeAt, modelAt, modelsIn } from "./reading";
import { search, tellMissing } from "./search";

const SCHEME = "striate";
const LARGEST_ANSWER = 64 * 1024 * 1024;

/** What a program said and how it ended. */
interface Answer {
  readonly code: number;
  readonly output: string;
  readonly complaint: string;
}

/** Answers as documents that cannot be edited; asking again replaces them. */
export class Answers implements vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? "";
  }

  async show(title: string, language: string, text: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${title}` });
    this.texts.set(uri.toString(), text);
    this.changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.languages.setTextDocumentLanguage(document, language);
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true });
  }
}

/** Register the commands. */
export function registerQuestions(context: vscode.ExtensionContext): void {
  const answers = new Answers();
  context.subscriptions.push(
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, answers),
    vscode.commands.registerCommand("striate.showSummary", () =>
      askAboutModel(answers, "summary", (model) => [`${model} summary.txt`, "plaintext"]),
    ),
    vscode.commands.registerCommand("striate.expand", () =>
      askAboutModel(answers, "expand", (model) => [`${model} expanded.cnn`, "cnn"]),
    ),
    vscode.commands.registerCommand("striate.explainCode", () => explain(answers)),
  );
}

async function askAboutModel(
  answers: Answers,
  command: string,
  named: (model: string) => [title: string, language: string],
): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId !== "cnn" || editor.document.uri.scheme === SCHEME) {
    void vscode.window.showInformationMessage("Open a .cnn file first: this is about the model in it.");
    return;
  }
  const { document } = editor;
  if ((document.isDirty || document.isUntitled) && !(await document.save())) return;
  const model = await chosenModel(document, editor.selection.active);
  if (model === undefined) return;
  const file = document.uri.fsPath;
  const answer = await ask([command, ...(model === "" ? [] : ["--model", model]), "--", file], document.uri);
  if (answer === undefined) return;
  if (answer.code !== 0) tellFailure(command, answer);
  else await answers.show(...named(model || path.basename(file, ".cnn")), answer.output);
}

/** The model to speak about: the only one, or the one that is picked; "" where the file only uses other files' models. */
async function chosenModel(document: vscode.TextDocument, cursor: vscode.Position): Promise<string | undefined> {
  const text = document.getText();
  const models = modelsIn(text).map((model) => model.name);
  if (models.length <= 1) return models[0] ?? "";
  const near = modelAt(text, document.offsetAt(cursor));
  const sorted = near === undefined ? models : [near, ...models.filter((name) => name !== near)];
  return vscode.window.showQuickPick(sorted, { title: "Which model?", placeHolder: "A model of this file" });
}

async function explain(answers: Answers): Promise<void> {
  const code = codeUnderCursor() ?? (await askedCode());
  if (code === undefined) return;
  const answer = await ask(["explain", code], vscode.window.activeTextEditor?.document.uri);
  if (answer === undefined) return;
  if (answer.code !== 0) tellFailure("explain", answer);
  else await answers.show(`${code}.md`, "markdown", answer.output);
}

function codeUnderCursor(): string | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) return undefined;
  const cursor = editor.selection.active;
  const written = codeAt(editor.document.lineAt(cursor.line).text, cursor.character);
  if (written !== undefined) return written;
  const finding = vscode.languages
    .getDiagnostics(editor.document.uri)
    .find((each) => each.source === "striate" && each.range.contains(cursor));
  const code = typeof finding?.code === "object" ? finding.code.value : finding?.code;
  return code?.toString();
}

function askedCode(): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: "Explain a code",
    placeHolder: "E0203",
    validateInput: (text) => (/^[EW]\d{4}$/.test(text.trim()) ? undefined : "E or W and four digits, for example E0203"),
  });
}

/** Run `striate`; where there is none, tell the user and return nothing. */
async function ask(words: string[], resource: vscode.Uri | undefined): Promise<Answer | undefined> {
  if (!vscode.workspace.isTrusted) {
    void vscode.window.showInformationMessage("striate is started once this workspace is trusted.");
    return undefined;
  }
  const found = await search(resource);
  if (found.program === undefined) {
    void tellMissing(found);
    return undefined;
  }
  const { program } = found;
  const title = `striate ${words[0]}`;
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, () =>
    answered(program, words, resource),
  );
}

function answered(program: string, words: string[], resource: vscode.Uri | undefined): Promise<Answer> {
  const folder = resource && vscode.workspace.getWorkspaceFolder(resource)?.uri.fsPath;
  const cwd = folder ?? (resource?.scheme === "file" ? path.dirname(resource.fsPath) : undefined);
  const env = { ...process.env, COLUMNS: "140", NO_COLOR: "1", PYTHONIOENCODING: "utf-8" };
  const options = { env, maxBuffer: LARGEST_ANSWER, ...(cwd === undefined ? {} : { cwd }) };
  return new Promise((resolve) => {
    execFile(program, words, options, (error, output, complaint) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      resolve({ code, output, complaint: complaint || (error?.message ?? "") });
    });
  });
}

function tellFailure(command: string, answer: Answer): void {
  const lines = (answer.complaint || answer.output).split("\n").map((line) => line.trim());
  const telling = lines.find((line) => /^error\b/i.test(line)) ?? lines.find((line) => line !== "");
  void vscode.window.showErrorMessage(`striate ${command}: ${telling ?? `ended with exit code ${answer.code}`}`);
}
