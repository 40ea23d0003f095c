// Asks the editor for what the search needs: settings, folders, and the interpreter that the Python extension has chosen.

import * as vscode from "vscode";

import { installCommand, locate, type Search } from "./locate";
import { thisMachine } from "./machine";

/** As much of the Python extension's interface as is used here. */
interface PythonExtension {
  readonly environments?: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    onDidChangeActiveEnvironmentPath(listener: () => void): vscode.Disposable;
  };
}

/** Return the program for a document, or for the first folder of the workspace. */
export async function search(resource?: vscode.Uri): Promise<Search> {
  const own = resource && vscode.workspace.getWorkspaceFolder(resource);
  const all = vscode.workspace.workspaceFolders ?? [];
  const folders = [...(own ? [own] : []), ...all.filter((folder) => folder !== own)].filter(
    (folder) => folder.uri.scheme === "file",
  );
  return locate(
    {
      configured: vscode.workspace.getConfiguration("striate", resource).get<string>("path", ""),
      folders: folders.map((folder) => folder.uri.fsPath),
      interpreter: await interpreter(resource ?? folders[0]?.uri),
    },
    thisMachine,
  );
}

/** Tell the user, once, that there is no program, and what to do about it. */
export async function tellMissing(found: Search & { program: undefined }): Promise<void> {
  const command = installCommand(found.interpreter);
  const copy = "Copy Command";
  const settings = "Open Settings";
  const chosen = await vscode.window.showErrorMessage(
    `No striate was found (looked for ${found.looked.join(", ")}). Install it with: ${command}`,
    copy,
    settings,
  );
  if (chosen === copy) await vscode.env.clipboard.writeText(command);
  if (chosen === settings) await vscode.commands.executeCommand("workbench.action.openSettings", "striate.path");
}

/** Call back when another interpreter is chosen. */
export async function onOtherInterpreter(listener: () => void): Promise<vscode.Disposable | undefined> {
  return (await pythonExtension())?.environments?.onDidChangeActiveEnvironmentPath(listener);
}

async function interpreter(resource: vscode.Uri | undefined): Promise<string | undefined> {
  const chosen = (await pythonExtension())?.environments?.getActiveEnvironmentPath(resource).path;
  const named = vscode.workspace.getConfiguration("python", resource).get<string>("defaultInterpreterPath");
  // A bare `python` means the PATH, which is looked at anyway.
  return [chosen, named].find((each) => each !== undefined && /[\\/]/.test(each));
}

async function pythonExtension(): Promise<PythonExtension | undefined> {
  const extension = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  try {
    return await extension?.activate();
  } catch {
    return undefined; // Its own trouble, of which it tells the user itself.
  }
}
