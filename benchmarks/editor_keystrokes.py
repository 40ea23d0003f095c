"""How long the language server takes to check a text again after a keystroke, in networks of ResNet-152's size.

Somebody types ` -> relu` at the ends of lines, changes numbers, and writes a new line, one character at a time; most of
the texts in between are broken. Measured is the check of each version by the server's own functions, in one process,
from the text as the editor sends it to findings, without the lints, which wait for a pause. A second table has the
whole way through the real server: from the change to the published findings, its 30 ms of waiting for another keystroke
included.
"""

from __future__ import annotations

import gc
import json
import random
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any

from arguments import Choices, parse
from measure import striate
from report import Row, start

from striate.editor.server.documents import Library
from striate.editor.server.texts import Buffer
from striate_dsl.source import Source

ZOO = Path(__file__).resolve().parents[1] / "plugins" / "striate_plugins" / "zoo"
STAGES = ((64, 3, 1), (128, 8, 2), (256, 36, 2), (512, 3, 2))
TYPED = (" -> relu", "\n  conv(64, 3, pad = 1) -> relu")
SITES = 6
"""Places at which each piece is typed."""


def written_out() -> str:
    """Return ResNet-152 without blocks, loops and variants: 155 convolutions, each on its own."""

    def unit(out: int, kernel: int, stride: int = 1) -> str:
        step = f", stride = {stride}" if stride > 1 else ""
        return f"conv({out}, {kernel}{step}, pad = half, bias = false) -> bn"

    lines = ["model ResNet152(classes = 1000) {", "  input image: 3 x 224 x 224"]
    lines.append(f"  {unit(64, 7, 2)} -> relu -> maxpool(3, stride = 2, pad = 1)")
    for width, depth, first in STAGES:
        for number in range(depth):
            stride = 1 if number else first
            way = f"{unit(width, 1)} -> relu -> {unit(width, 3, stride)} -> relu -> {unit(4 * width, 1)}"
            shortcut = "identity" if number else unit(4 * width, 1, stride)
            lines += ["  add {", f"    {way}", f"    {shortcut}", "  } -> relu"]
    return "\n".join([*lines, "  global_avgpool -> flatten -> dense(classes)", "  output logits", "}", ""])


def versions(text: str, seed: int = 0) -> Iterator[str]:
    """Yield the text after every keystroke: pieces typed at the ends of lines, and numbers changed and changed back."""
    chosen = random.Random(seed)
    ends = [at for at, sign in enumerate(text) if sign == "\n" and text[at - 1] == ")"]
    for at in chosen.sample(ends, min(SITES, len(ends))):
        for piece in TYPED:
            for stop in range(1, len(piece) + 1):
                yield text[:at] + piece[:stop] + text[at:]
    numbers = [at for at, sign in enumerate(text) if sign.isdigit() and text[at - 1] in "( " and text[at + 1] in "),"]
    for at in chosen.sample(numbers, min(4 * SITES, len(numbers))):
        yield text[:at] + str(chosen.randrange(1, 10)) + text[at + 1 :]
        yield text


def checks(name: str, text: str) -> Row:
    """Return what the checks of all versions of a text took."""
    library = Library()
    path = Path(tempfile.gettempdir()) / f"{name}.cnn"
    seconds: list[float] = []
    broken = 0
    gc.disable()  # as in the server, which collects in pauses
    for number, version in enumerate([text, text, *versions(text)]):
        document = library.put(Buffer(path.as_uri(), path, number, Source(str(path), version)))
        begin = perf_counter()
        analysis = library.check(document)
        seconds.append(perf_counter() - begin)
        broken += any(item.severity == "error" for item in analysis.findings)
        if number % 50 == 0:
            gc.collect()
    gc.enable()
    return _row(name, text, seconds[2:], broken)


def _row(name: str, text: str, seconds: list[float], broken: int) -> Row:
    milliseconds = [each * 1e3 for each in seconds]
    return {
        "file": name,
        "lines": text.count("\n"),
        "keystrokes": len(milliseconds),
        "with_errors": broken,
        "median_ms": round(median(milliseconds), 1),
        "p90_ms": round(quantiles(milliseconds, n=10)[-1], 1),
        "max_ms": round(max(milliseconds), 1),
    }


@dataclass(eq=False)
class Session:
    """A server that is spoken to as an editor does, message by message."""

    server: subprocess.Popen[bytes] = field(
        default_factory=lambda: subprocess.Popen(striate("lsp"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    )

    def send(self, method: str, params: Any, number: int | None = None) -> None:
        """Send a request if it has a number, else a notification."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        data = json.dumps(message if number is None else {**message, "id": number}).encode()
        assert self.server.stdin is not None, "opened as a pipe"
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        self.server.stdin.flush()

    def receive(self) -> Any:
        """Return the next message of the server."""
        assert self.server.stdout is not None, "opened as a pipe"
        length = 0
        while (line := self.server.stdout.readline().strip()) or not length:
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(self.server.stdout.read(length))

    def until(self, version: int) -> None:
        """Read until the findings of a version of the text are published."""
        while True:
            message = self.receive()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["version"] == version:
                return


def round_trips(name: str, text: str) -> Row:
    """Return what it took from every change to its findings, through the real server."""
    session = Session()
    uri = (Path(tempfile.gettempdir()) / f"{name}.cnn").as_uri()
    session.send("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, 1)
    session.receive()
    session.send("initialized", {})
    item = {"uri": uri, "languageId": "cnn", "version": 0, "text": text}
    session.send("textDocument/didOpen", {"textDocument": item})
    session.until(0)
    seconds = []
    for number, version in enumerate(versions(text), 1):
        change = {"textDocument": {"uri": uri, "version": number}, "contentChanges": [{"text": version}]}
        begin = perf_counter()
        session.send("textDocument/didChange", change)
        session.until(number)
        seconds.append(perf_counter() - begin)
    session.send("shutdown", None, 2)
    session.send("exit", None)
    session.server.communicate()
    return _row(name, text, seconds, 0) | {"with_errors": None}


def run(choices: Choices) -> None:
    """Measure, print, and save if asked to."""
    report = start("editor-keystrokes", "The language server after a keystroke")
    texts = {"resnet, six variants": (ZOO / "resnet.cnn").read_text(), "resnet152, written out": written_out()}
    report.add("Checking a version", [checks(name, text) for name, text in texts.items()])
    if not choices.quick:
        report.add("From change to published findings", [round_trips(name, text) for name, text in texts.items()])
    report.finish(save=choices.save)


if __name__ == "__main__":
    run(parse(__doc__ or ""))
