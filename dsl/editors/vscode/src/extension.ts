// The extension: starts the language server, starts it anew when what it depends on changes, and adds the commands.

import * as vscode from "vscode";

import { registerQuestions } from "./questions";
import { onOtherInterpreter } from "./search";
import { Server } from "./server";

let server: Server | undefined;

/** Called by the editor when the first `.cnn` file is opened. */
export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel("striate", { log: true });
  const started = new Server(output);
  server = started;
  context.subscriptions.push(
    output,
    started,
    vscode.commands.registerCommand("striate.restartServer", () => started.restart()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("striate.path")) void started.restart();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void started.restart()),
  );
  registerQuestions(context);
  const watching = await onOtherInterpreter(() => void started.restart());
  if (watching !== undefined) context.subscriptions.push(watching);
  await started.restart();
}

/** Called by the editor when it closes. */
export async function deactivate(): Promise<void> {
  await server?.stop();
}
