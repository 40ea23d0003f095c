// The machine that the extension runs on, as the search for the program sees it.

import * as fs from "node:fs";
import * as os from "node:os";

import type { Machine } from "./locate";

export const thisMachine: Machine = {
  windows: process.platform === "win32",
  home: os.homedir(),
  environment: process.env,
  isProgram(file) {
    try {
      fs.accessSync(file, fs.constants.X_OK);
      return fs.statSync(file).isFile();
    } catch {
      return false;
    }
  },
  isFolder(file) {
    return fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
  },
};
