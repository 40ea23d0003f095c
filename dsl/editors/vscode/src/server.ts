// The language server: one process of `striate lsp`, spoken to over its standard input and output.

import { type ChildProcess, spawn } from "node:child_process";

import * as vscode from "vscode";
import {
  CloseAction,
  type ErrorHandler,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
} from "vscode-languageclient/node";

import { search, tellMissing } from "./search";

const SELECTOR = [
  { scheme: "file", language: "cnn" },
  { scheme: "untitled", language: "cnn" },
];
const LONGEST_COMPLAINT = 4000;

/** The server of this window; it is started, stopped and started anew, one after the other. */
export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private queue: Promise<void> = Promise.resolve();

  constructor(private readonly output: vscode.LogOutputChannel) {}

  /** Start the server, or start it anew. */
  restart(): Promise<void> {
    return this.next(async () => {
      await this.end();
      await this.begin();
    });
  }

  /** Stop the server. */
  stop(): Promise<void> {
    return this.next(() => this.end());
  }

  dispose(): void {
    void this.stop();
  }

  private next(step: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(step, step);
    return this.queue;
  }

  private async end(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    if (client?.needsStop()) await client.stop().catch((error: unknown) => this.output.warn(String(error)));
  }

  private async begin(): Promise<void> {
    if (!vscode.workspace.isTrusted) return;
    const found = await search();
    if (found.program === undefined) {
      void tellMissing(found);
      return;
    }
    this.output.info(`starting ${found.program} lsp (from: ${found.origin})`);
    const complaint: string[] = [];
    const client = connected(found.program, this.output, complaint);
    this.client = client;
    try {
      await client.start();
    } catch (error) {
      this.client = undefined;
      void this.tellFailure(found.program, complaint.join(""), error);
    }
  }

  private async tellFailure(program: string, complaint: string, error: unknown): Promise<void> {
    this.output.error(complaint || String(error));
    const reason = complaint.split("\n").find((line) => line.trim() !== "") ?? String(error);
    const hint = "pip install 'striate[editor]' brings what the language server needs.";
    const show = "Show Output";
    const chosen = await vscode.window.showErrorMessage(`${program} lsp did not start: ${reason} (${hint})`, show);
    if (chosen === show) this.output.show();
  }
}

/** A client whose own messages begin once it is connected: why it was not is told by `tellFailure`, and once. */
class QuietAtFirst extends LanguageClient {
  override error(message: string, data?: unknown, showNotification?: boolean | "force"): void {
    super.error(message, data, this.initializeResult === undefined ? false : showNotification);
  }
}

function connected(program: string, output: vscode.LogOutputChannel, complaint: string[]): LanguageClient {
  // A server that never got going would fail the same way again; one that worked may be started anew a few times.
  const patient: ErrorHandler = {
    error: (error, message, count) => usual.error(error, message, count),
    closed: () =>
      client.initializeResult === undefined ? { action: CloseAction.DoNotRestart, handled: true } : usual.closed(),
  };
  const options: LanguageClientOptions = {
    documentSelector: SELECTOR,
    errorHandler: patient,
    initializationFailedHandler: () => false,
    outputChannel: output,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.cnn") },
  };
  const client = new QuietAtFirst("striate", "striate", () => launched(program, complaint), options);
  const usual = client.createDefaultErrorHandler();
  return client;
}

function launched(program: string, complaint: string[]): Promise<ChildProcess> {
  const cwd = vscode.workspace.workspaceFolders?.find((folder) => folder.uri.scheme === "file")?.uri.fsPath;
  const child = spawn(program, ["lsp"], cwd === undefined ? {} : { cwd });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint.push(text);
    while (complaint.join("").length > LONGEST_COMPLAINT && complaint.length > 1) complaint.shift();
  });
  return new Promise((resolve, reject) => {
    child.once("spawn", () => resolve(child)).once("error", reject);
  });
}
