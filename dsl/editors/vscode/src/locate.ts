// Which `striate` program to run: the one that the settings name, or the first of those that belong to the workspace,
// to the interpreter of the Python extension, and to the PATH. Knows nothing of the editor, so that tests can run it.

import * as path from "node:path";

/** What the search asks of the machine. */
export interface Machine {
  readonly windows: boolean;
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  isProgram(file: string): boolean;
  isFolder(file: string): boolean;
}

/** What the user has said and opened. */
export interface Wishes {
  /** The setting `striate.path`; empty where it is not set. */
  readonly configured: string;
  /** The folders of the workspace, the one of the document first. */
  readonly folders: readonly string[];
  /** The interpreter (or environment) of the Python extension, if there is one. */
  readonly interpreter: string | undefined;
}

/** A program, or what was looked at in vain. */
export type Search =
  | { readonly program: string; readonly origin: "setting" | "workspace" | "interpreter" | "PATH" }
  | { readonly program: undefined; readonly looked: readonly string[]; readonly interpreter: string | undefined };

/** Return the program to run. */
export function locate(wishes: Wishes, machine: Machine): Search {
  const configured = wishes.configured.trim();
  if (configured !== "") {
    const program = filledIn(configured, wishes.folders[0], machine);
    return machine.isProgram(program) ? { program, origin: "setting" } : { program: undefined, looked: [program], interpreter: undefined };
  }
  const looked: string[] = [];
  const environments = wishes.folders.map((folder) => join(machine, folder, ".venv"));
  for (const environment of environments) {
    const program = programIn(environment, machine);
    if (machine.isProgram(program)) return { program, origin: "workspace" };
    looked.push(program);
  }
  if (wishes.interpreter !== undefined) {
    const program = besideInterpreter(wishes.interpreter, machine);
    if (machine.isProgram(program)) return { program, origin: "interpreter" };
    looked.push(program);
  }
  for (const folder of searchPath(machine)) {
    const program = join(machine, folder, fileName(machine));
    if (machine.isProgram(program)) return { program, origin: "PATH" };
  }
  return { program: undefined, looked: [...looked, "the PATH"], interpreter: installTarget(wishes, environments, machine) };
}

/** Return the command that installs what is missing, into the environment that the search would have taken. */
export function installCommand(interpreter: string | undefined): string {
  return interpreter === undefined ? "pip install 'striate[editor]'" : `${quoted(interpreter)} -m pip install 'striate[editor]'`;
}

/** Fill in `~`, `${workspaceFolder}` and `${env:NAME}`; a relative path begins at the workspace. */
export function filledIn(text: string, folder: string | undefined, machine: Machine): string {
  const { isAbsolute, resolve } = flavour(machine);
  const whole = text
    .replace(/^~(?=$|[\\/])/, () => machine.home)
    .replace(/\$\{workspaceFolder\}/g, () => folder ?? "")
    .replace(/\$\{env:([^}]+)\}/g, (_, name: string) => machine.environment[name] ?? "");
  return isAbsolute(whole) || folder === undefined ? whole : resolve(folder, whole);
}

function installTarget(wishes: Wishes, environments: readonly string[], machine: Machine): string | undefined {
  const own = environments.find((environment) => machine.isFolder(environment));
  if (own !== undefined) return join(machine, own, machine.windows ? "Scripts\\python.exe" : "bin/python");
  const { interpreter } = wishes;
  return interpreter !== undefined && machine.isProgram(interpreter) ? interpreter : undefined;
}

function besideInterpreter(interpreter: string, machine: Machine): string {
  if (machine.isFolder(interpreter)) return programIn(interpreter, machine);
  return join(machine, flavour(machine).dirname(interpreter), fileName(machine));
}

function programIn(environment: string, machine: Machine): string {
  return join(machine, environment, machine.windows ? "Scripts" : "bin", fileName(machine));
}

function fileName(machine: Machine): string {
  return machine.windows ? "striate.exe" : "striate";
}

function searchPath(machine: Machine): string[] {
  const { delimiter, isAbsolute } = flavour(machine);
  const value = machine.environment["PATH"] ?? machine.environment["Path"] ?? "";
  // A relative entry would mean something else in every folder, and a program that came with a stranger's files.
  return value.split(delimiter).filter((folder) => isAbsolute(folder));
}

function flavour(machine: Machine): path.PlatformPath {
  return machine.windows ? path.win32 : path.posix;
}

function join(machine: Machine, ...parts: string[]): string {
  return flavour(machine).join(...parts);
}

function quoted(program: string): string {
  return /\s/.test(program) ? `"${program}"` : program;
}
