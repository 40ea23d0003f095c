"""A desk with open texts: what the editor's tests ask their questions at. `|` in a text is where the cursor is."""

from __future__ import annotations

from pathlib import Path

from striate.editor.server.documents import Analysis, Document, Library
from striate.editor.server.texts import Buffer
from striate_dsl.source import Source

ZOO = Path(__file__).resolve().parents[3] / "plugins" / "striate_plugins" / "zoo"

NET = """\
block ConvBN(out, kernel, stride = 1, act = relu) {
  conv(out, kernel, stride = stride, pad = half, bias = false) -> bn -> act
}

# Two convolutions and a way round them
block Residual(width) {
  add {
    ConvBN(width, 3) -> ConvBN(width, 3, act = identity)
    identity
  } -> relu
}

model Net(width = 16, classes = 10) {
  input image: 3 x 32 x 32
  ConvBN(width, 3, stride = 2) as early
  repeat 2 { Residual(width) }
  let tail = ConvBN(2 * width, 1)
  tail -> concat(early) -> global_avgpool -> flatten -> dense(classes)
  output logits
}

model Wide = Net(width = 64)

train Net as long {
  data      = digits()
  loss      = cross_entropy
  optimizer = sgd(lr = 0.05, momentum = 0.9)
  epochs    = 2
}

profile quick { train.epochs = 1; model.classes = 5 }
"""
"""A file with a bit of everything, and no mistakes."""


class Desk:
    """Open texts in a folder, checked whenever one is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.library = Library([folder])
        self.versions = 0

    def write(self, text: str, name: str = "net.cnn", *, settled: bool = False) -> Document:
        """Open a text, or change it, and check it."""
        self.versions += 1
        path = self.folder / name
        buffer = Buffer(path.as_uri(), path, self.versions, Source(str(path), text))
        document = self.library.put(buffer)
        self.library.check(document, settled=settled)
        return document

    def at(self, marked: str, name: str = "net.cnn") -> tuple[Library, Document, int]:
        """Open a text with a cursor in it; return what questions take."""
        offset = marked.index("|")
        return self.library, self.write(marked.replace("|", "", 1), name), offset

    def on(self, document: Document, words: str, within: int = 0) -> tuple[Library, Document, int]:
        """Return what questions about the first occurrence of some words take."""
        return self.library, document, document.source.text.index(words) + within

    def findings(self, document: Document) -> list[tuple[str, str]]:
        """Return codes and the texts that they are about."""
        analysis = document.analysis
        assert isinstance(analysis, Analysis)
        return [(item.code, item.span.text if item.span else "") for item in analysis.findings]


def marked(text: str, stretches: list[tuple[int, int]]) -> list[str]:
    """Return stretches of a text with their line, for expectations that can be read."""
    return [f"{text.count(chr(10), 0, start) + 1}:{text[start:end]}" for start, end in stretches]
