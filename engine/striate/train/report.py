"""The report of a run: one HTML page that needs nothing else, readable on a phone and on paper."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from striate.runtime.checkpoint_info import CheckpointInfo
from striate.train.recipe import Recipe
from striate.train.run_state import RunState
from striate.train.scoring import Scores
from striate.train.wording import metric_text, rate_text

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 52rem; }
h1 { line-height: 1.2; margin-bottom: 0; } h2 { margin-top: 2rem; border-bottom: 1px solid var(--line); }
.big { font-size: 2.4rem; font-weight: 600; margin: .5rem 0 0; } .soft { opacity: .7; margin-top: 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid var(--line); }
table.numbers td { white-space: nowrap; }
table.text td { text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: nowrap; }
img.broad { min-width: 36rem; }
img { max-width: 100%; height: auto; background: white; }
pre { background: var(--soft); padding: .75rem; overflow-x: auto; }
"""

_CLASS_HEAD = ("class", "precision", "recall", "F1", "examples")


@dataclass(frozen=True)
class RunReport:
    """What a report tells.

    Attributes:
        info: the description of the weights.
        recipe: the recipe.
        run: the finished run.
        test: the scores of the best weights on the test split.
        examples: the number of examples by split.
        parameters: trainable parameters of the model.
        pictures: PNG files by their title.
        environment: facts about machine and software.
        notes: what the reader should know.
    """

    info: CheckpointInfo
    recipe: Recipe
    run: RunState
    test: Scores
    examples: Mapping[str, int]
    parameters: int
    pictures: Mapping[str, bytes]
    environment: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def to_html(self) -> str:
        """Return the page."""
        share, what = self._headline()
        title = f"{self.info.model}: {share} on {self.recipe.data}"
        body = "\n".join(
            [
                f"<h1>{escape(self.info.model)}</h1>",
                f'<p class="big">{share}</p>',
                f'<p class="soft">{what} on the test split of {escape(str(self.recipe.data))}</p>',
                *(f"<p>Note: {escape(note)}</p>" for note in self.notes),
                _section("Results", _table(self._results())),
                *(_section(name, _image(png, name)) for name, png in self.pictures.items()),
                *([_section("Classes", _grid(_CLASS_HEAD, self._classes()))] if self.test.answers else []),
                _section("Recipe", _table(self.recipe.settings())),
                _section("Network", f"<pre>{escape(self.info.text)}</pre>"),
                *(_section(name, f"<pre>{escape(text)}</pre>") for name, text in self.info.files.items()),
                *([_section("Plugins", _table(self._plugins()))] if self.info.plugins else []),
                _section("Environment", _table(self.environment)),
            ]
        )
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
        )

    def _plugins(self) -> dict[str, str]:
        """Return distribution, version and use of every plugin that took part."""
        return {
            name: f"{said['distribution'] or 'a file of the project'} {said['version']}, for the {said['used_by']}"
            for name, said in self.info.plugins.items()
        }

    def _headline(self) -> tuple[str, str]:
        """Return the one number that matters, and what it is: without classes the loss."""
        if self.test.answers:
            return f"{100 * self.test.accuracy:.2f} %", "right"
        return f"{self.test.loss:.4f}", "loss"

    def _results(self) -> dict[str, str]:
        run, test = self.run, self.test
        rows = {"test loss": f"{test.loss:.4f}"}
        rows |= {f"test {part}": metric_text(part, test.metrics[str(part)]) for part in self.recipe.metrics}
        if test.answers:
            wrong = test.answers - int(test.confusion.trace())
            rows["wrong answers"] = f"{wrong:,} of {test.answers:,}"
        if run.best is not None:
            metrics = [f"{part} {metric_text(part, run.best.metrics[str(part)])}" for part in self.recipe.metrics]
            rows["best epoch"] = f"{run.best.epoch} of {run.epoch}"
            rows["validation at that epoch"] = ", ".join([f"loss {run.best.validation_loss:.4f}", *metrics])
        if run.rates:
            rows["suggested rate"] = rate_text(run)
        rows["training time"] = f"{sum(score.seconds for score in run.history):.1f} s"
        rows["images"] = ", ".join(f"{number:,} {split}" for split, number in self.examples.items())
        rows["parameters"] = f"{self.parameters:,}"
        return rows

    def _classes(self) -> Iterable[tuple[str, ...]]:
        for item in self.test.per_class:
            shares = (f"{100 * value:.1f} %" for value in (item.precision, item.recall, item.f1))
            yield (item.name, *shares, f"{item.examples:,}")


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{content}"


def _table(rows: Mapping[str, str]) -> str:
    cells = "".join(f"<tr><td>{escape(key)}</td><td>{escape(value)}</td></tr>\n" for key, value in rows.items())
    return f'<div class="wide"><table class="text">\n{cells}</table></div>'


def _grid(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f'<div class="wide"><table class="numbers">\n<tr>{top}</tr>\n{lines}</table></div>'


def _image(png: bytes, name: str) -> str:
    data = base64.b64encode(png).decode()
    width, height = struct.unpack(">II", png[16:24])  # the first chunk of a PNG says its size
    kind = ' class="broad"' if width > 2 * height else ""
    return f'<div class="wide"><img{kind} alt="{escape(name)}" src="data:image/png;base64,{data}"></div>'
