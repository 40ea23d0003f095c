// A stand-in for the `vscode` module: what the extension does with the editor is written down in `seen`, and questions
// to the user are answered from `answers`. Whatever else the language client asks for is an empty class or function.
"use strict";

const path = require("node:path");

class Disposable {
  constructor(dispose) {
    this.dispose = dispose ?? (() => {});
  }
  static from(...parts) {
    return new Disposable(() => parts.forEach((each) => each.dispose()));
  }
}

class EventEmitter {
  constructor() {
    this.listeners = new Set();
    this.event = (listener, self) => {
      const bound = self === undefined ? listener : listener.bind(self);
      this.listeners.add(bound);
      return new Disposable(() => this.listeners.delete(bound));
    };
  }
  fire(value) {
    for (const listener of [...this.listeners]) listener(value);
  }
  dispose() {
    this.listeners.clear();
  }
}

class Position {
  constructor(line, character) {
    Object.assign(this, { line, character });
  }
}

class Range {
  constructor(...ends) {
    const [start, end] = ends.length === 4 ? [new Position(ends[0], ends[1]), new Position(ends[2], ends[3])] : ends;
    Object.assign(this, { start, end });
  }
  contains({ line, character }) {
    const after = line > this.start.line || (line === this.start.line && character >= this.start.character);
    return after && (line < this.end.line || (line === this.end.line && character <= this.end.character));
  }
}

class Uri {
  constructor(scheme, file) {
    Object.assign(this, { scheme, path: file, fsPath: file, authority: "", query: "", fragment: "" });
  }
  static file(file) {
    return new Uri("file", file);
  }
  static parse(text) {
    const [, scheme, file] = /^(\w+):(?:\/\/)?(.*)$/.exec(text);
    return new Uri(scheme, decodeURIComponent(file));
  }
  static from({ scheme, path: file }) {
    return new Uri(scheme, file);
  }
  toString() {
    return `${this.scheme}:${this.scheme === "file" ? "//" : ""}${encodeURI(this.path)}`;
  }
}

class Diagnostic {
  constructor(range, message, severity) {
    Object.assign(this, { range, message, severity });
  }
}

class CodeActionKind {
  constructor(value) {
    this.value = value;
  }
  append(part) {
    return new CodeActionKind(this.value ? `${this.value}.${part}` : part);
  }
}
CodeActionKind.Empty = new CodeActionKind("");

class CancellationTokenSource extends Disposable {
  constructor() {
    super();
    this.token = { isCancellationRequested: false, onCancellationRequested: () => new Disposable() };
  }
  cancel() {
    this.token.isCancellationRequested = true;
  }
}

class Document {
  constructor(uri, text, languageId = "cnn") {
    Object.assign(this, { uri, text, languageId, version: 1, isDirty: false, isClosed: false, fileName: uri.fsPath });
    this.isUntitled = uri.scheme === "untitled";
    this.eol = 1;
  }
  getText() {
    return this.text;
  }
  lineAt(number) {
    return { text: this.text.split("\n")[number] };
  }
  offsetAt({ line, character }) {
    return this.text.split("\n").slice(0, line).join("\n").length + (line > 0 ? 1 : 0) + character;
  }
  async save() {
    this.isDirty = false;
    return true;
  }
}

/** Make an editor with one folder open; `settings` are read by their whole name. */
function fakeEditor({ folder, settings = {}, extensions = {}, trusted = true }) {
  const seen = { commands: new Map(), errors: [], notes: [], shown: [], log: [], findings: new Map(), picks: [] };
  const answers = { pick: (items) => items[0], input: () => undefined, button: () => undefined };
  const events = {};
  const event = (name) => (events[name] ??= new EventEmitter()).event;
  const providers = new Map();
  const documents = [];

  const nothing = () => new Disposable();
  const log = (level) => (text) => seen.log.push(`${level}: ${text}`);
  const channel = { name: "striate", logLevel: 3, onDidChangeLogLevel: event("logLevel"), show() {}, dispose() {} };
  for (const level of ["append", "appendLine", "trace", "debug", "info", "warn", "error"]) channel[level] = log(level);

  const configuration = (section) => {
    const whole = (name) => (section ? `${section}.${name}` : name);
    return { get: (name, usual) => settings[whole(name)] ?? usual, has: (name) => whole(name) in settings };
  };
  const shown = (list) => async (message, ...buttons) => {
    list.push(message);
    return answers.button(message, buttons);
  };
  const findings = () => ({
    set: (uri, items) => seen.findings.set(uri.toString(), items),
    delete: (uri) => seen.findings.delete(uri.toString()),
    clear: () => seen.findings.clear(),
    dispose() {},
  });

  const known = {
    Disposable, EventEmitter, Position, Range, Uri, Diagnostic, CodeActionKind, CancellationTokenSource,
    version: "1.91.0",
    ViewColumn: { Active: -1, Beside: -2 },
    ProgressLocation: { SourceControl: 1, Window: 10, Notification: 15 },
    DiagnosticSeverity: { Error: 0, Warning: 1, Information: 2, Hint: 3 },
    LogLevel: { Off: 0, Trace: 1, Debug: 2, Info: 3, Warning: 4, Error: 5 },
    env: { appName: "fake", language: "en", clipboard: { writeText: async (text) => void seen.notes.push(text) } },
    extensions: { getExtension: (name) => extensions[name], all: [], onDidChange: event("extensions") },
    commands: {
      registerCommand(name, run) {
        seen.commands.set(name, run);
        return new Disposable(() => seen.commands.delete(name));
      },
      executeCommand: async (name, ...rest) => seen.commands.get(name)?.(...rest),
    },
    languages: {
      createDiagnosticCollection: findings,
      getDiagnostics: (uri) => seen.findings.get(uri.toString()) ?? [],
      match: (selector, document) =>
        [selector].flat().some((each) => each.language === document.languageId && each.scheme === document.uri.scheme)
          ? 10
          : 0,
      setTextDocumentLanguage: async (document, language) => Object.assign(document, { languageId: language }),
    },
    window: {
      activeTextEditor: undefined,
      visibleTextEditors: [],
      createOutputChannel: () => channel,
      showErrorMessage: shown(seen.errors),
      showWarningMessage: shown(seen.errors),
      showInformationMessage: shown(seen.notes),
      showInputBox: async (options) => answers.input(options),
      async showQuickPick(items) {
        seen.picks.push(items);
        return answers.pick(items);
      },
      async showTextDocument(document) {
        const text = await providers.get(document.uri.scheme).provideTextDocumentContent(document.uri);
        seen.shown.push({ title: path.basename(document.uri.path), language: document.languageId, text });
      },
      withProgress: (_, task) => task(),
      tabGroups: { all: [], onDidChangeTabs: event("tabs") },
    },
    workspace: {
      isTrusted: trusted,
      textDocuments: documents,
      notebookDocuments: [],
      workspaceFolders: [{ uri: Uri.file(folder), name: path.basename(folder), index: 0 }],
      getConfiguration: configuration,
      getWorkspaceFolder(uri) {
        return uri.path.startsWith(folder) ? this.workspaceFolders[0] : undefined;
      },
      createFileSystemWatcher: () => ({
        onDidCreate: nothing, onDidChange: nothing, onDidDelete: nothing, dispose() {},
      }),
      registerTextDocumentContentProvider(scheme, provider) {
        providers.set(scheme, provider);
        return new Disposable();
      },
      openTextDocument: async (uri) => new Document(uri, "", "plaintext"),
    },
  };
  // Events are made on demand, everything else that is not known does nothing.
  const open = (name, target) =>
    new Proxy(target, {
      get(all, key) {
        if (key in all || typeof key === "symbol") return all[key];
        if (/^on(Did|Will)/.test(key)) return event(`${name}.${key}`);
        return /^(register|create|set)/.test(key) ? nothing : undefined;
      },
    });
  for (const name of ["window", "workspace", "languages", "commands"]) known[name] = open(name, known[name]);
  const blank = (name) => Object.defineProperty(class extends Disposable {}, "name", { value: name });
  const vscode = new Proxy(known, {
    get: (all, key) => (key in all || typeof key === "symbol" ? all[key] : (all[key] = blank(key))),
  });
  return { vscode, seen, answers, documents, Document, Range, Position, Uri, fire: (name, value) => events[name]?.fire(value) };
}

module.exports = { fakeEditor };
