"""Runs the real Vim without a terminal over files: what each place is coloured as, and what `=` makes of a text."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_ASK = """
for order in s:orders
  silent exe 'edit! ' .. fnameescape(order.path)
  let s:found = map(copy(order.places), {_, at -> synIDattr(synID(at[0], at[1], 1), 'name')})
  call add(s:answers, s:found)
endfor
"""
_INDENT = """
for order in s:orders
  silent exe 'edit! ' .. fnameescape(order.path)
  silent normal! gg=G
  call add(s:answers, getline(1, '$'))
endfor
"""
_REPORT = """
for order in s:orders
  silent exe 'edit! ' .. fnameescape(order.path)
  call add(s:answers, map(copy(order.options), {_, name -> eval('&l:' .. name)}))
endfor
"""


@dataclass(frozen=True, slots=True)
class Vim:
    """Vim with the files of the editors' folder and nothing of the user's."""

    runtime: Path
    scratch: Path

    def groups(self, texts: list[str], places: list[list[int]]) -> list[list[str]]:
        """Return, for each text, the syntax group at each of its places (offsets into the text)."""
        orders = [
            {"path": path, "places": [list(line_and_byte(text, at)) for at in wanted]}
            for path, text, wanted in zip(self._written(texts), texts, places, strict=True)
        ]
        return self._run(_ASK, orders)

    def indented(self, texts: list[str]) -> list[list[str]]:
        """Return the lines of each text after its indentation was lost and `=` made a new one."""
        flat = ["".join(line.lstrip(" ") for line in text.splitlines(keepends=True)) for text in texts]
        return self._run(_INDENT, [{"path": path} for path in self._written(flat)])

    def options(self, names: list[str]) -> list[str]:
        """Return the values of local options in a `.cnn` file."""
        (path,) = self._written(["relu\n"])
        (values,) = self._run(_REPORT, [{"path": path, "options": names}])
        return values

    def _written(self, texts: list[str]) -> list[str]:
        paths = [self.scratch / f"text{number}.cnn" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8")
        return [str(path) for path in paths]

    def _run(self, questions: str, orders: list[dict]) -> list:
        orders_path, answers, script = (self.scratch / name for name in ("orders.json", "answers.json", "ask.vim"))
        orders_path.write_text(json.dumps(orders), encoding="utf-8")
        answers.unlink(missing_ok=True)
        script.write_text(
            "set nocompatible encoding=utf-8 noswapfile hidden\n"
            f"let &runtimepath = '{self.runtime},' .. $VIMRUNTIME\n"
            "filetype plugin indent on\nsyntax on\n"
            f"let s:orders = json_decode(join(readfile('{orders_path}')))\nlet s:answers = []\n"
            f"{questions}"
            f"call writefile([json_encode(s:answers)], '{answers}')\nqall!\n",
            encoding="utf-8",
        )
        command = ["vim", "-E", "-s", "-N", "-u", "NONE", "-i", "NONE", "-S", str(script)]
        done = subprocess.run(
            command, env=os.environ | {"LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert answers.is_file(), f"Vim gave no answer:\n{done.stdout}{done.stderr}"
        return json.loads(answers.read_text(encoding="utf-8"))


def line_and_byte(text: str, at: int) -> tuple[int, int]:
    """Return a place as Vim counts: lines and bytes from 1."""
    begin = text.rfind("\n", 0, at) + 1
    return text.count("\n", 0, at) + 1, len(text[begin:at].encode()) + 1
