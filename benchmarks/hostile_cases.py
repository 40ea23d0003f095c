"""Files of a stranger who means harm: each is small work to write and would be endless work to read, built or shown.

Used by `hostile.py`, which measures them, and by tests/engine/hostile, which hold them to their messages. Most are
refused; those that are legal must simply end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

Text = str | bytes
COMMANDS = ("check", "fix", "fmt", "summary")
"""The commands a case is for, by the keys of `command_line`."""


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile file.

    Attributes:
        name: what is wrong with it, in a few words.
        text: makes the text of `main.cnn`, or None where `place` makes everything.
        codes: the codes that `check` reports, each once; empty where the file is legal.
        says: a part of the message.
        files: makes the files beside it, by name.
        place: makes what is not a plain file; returns the path to name on the command line.
        commands: the commands that it is measured with.
    """

    name: str
    text: Callable[[], Text] | None = None
    codes: tuple[str, ...] = ()
    says: str = ""
    files: Callable[[], dict[str, Text]] | None = None
    place: Callable[[Path], Path] | None = None
    commands: tuple[str, ...] = COMMANDS

    def write(self, folder: Path) -> Path:
        """Write the case's files into a folder and return the path of the file to check."""
        if self.place is not None:
            return self.place(folder)
        assert self.text is not None, "a case has a text or a place"
        for name, text in {"main.cnn": self.text(), **(self.files() if self.files else {})}.items():
            (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return folder / "main.cnn"


def command_line(command: str, path: Path) -> list[str]:
    """Return the arguments of `striate` for one of `COMMANDS`."""
    words = {
        "check": ["check"],
        "fix": ["check", "--diff", "--unsafe-fixes"],
        "fmt": ["fmt", "--check"],
        "summary": ["summary"],
    }
    return [*words[command], str(path)]


def model(body: str, size: str = "3 x 64 x 64", before: str = "", parameters: str = "") -> str:
    """Return a file with one model around a body."""
    return f"{before}\nmodel Net{parameters} {{\n  input image: {size}\n{body}\n  output y\n}}\n"


def _nested_loops(inner: str, head: str = "repeat 1000 {", depth: int = 6) -> str:
    return model(f"{head * depth} {inner} {'}' * depth}")


def _doubling_blocks(levels: int, last: str = "conv(3, 1)") -> str:
    blocks = [f"block B{level} {{ B{level + 1} -> B{level + 1} }}" for level in range(levels)]
    return model("B0", before="\n".join([*blocks, f"block B{levels} {{ {last} }}"]))


def _doubling_list(steps: int) -> str:
    lines = ["let a0 = [1, 2, 3, 4]", *(f"let a{step + 1} = a{step} + a{step}" for step in range(steps))]
    return model("\n".join([*lines, f"repeat len(a{steps}) {{ conv(3, 1) }}"]))


def _squared_numbers(steps: int) -> str:
    lines = ["let a0 = 9999999", *(f"let a{step + 1} = a{step} * a{step}" for step in range(steps))]
    return model("\n".join([*lines, f"conv(a{steps}, 1)"]))


def _diamonds(levels: int) -> dict[str, Text]:
    """Each of two files per level uses both of the next: 2^levels ways lead to the last."""
    files: dict[str, Text] = {}
    for level in range(levels):
        uses = "".join(f'use "{side}{level + 1}.cnn"\n' for side in "ab") if level + 1 < levels else ""
        for side in "ab":
            files[f"{side}{level}.cnn"] = f"{uses}block B{side}{level} {{ relu }}\n"
    return files


def _chain_of_strides(layers: int, sizes: str = "3 x H x W") -> str:
    strides = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]
    lines = [f"conv(3, {stride + 1}, stride = {stride})" for stride in (strides * layers)[:layers]]
    return model("\n".join(lines), sizes)


def _conditions(conditions: Iterable[str], size: str = "3 x H x W") -> str:
    """Return a model with conditions on its open sizes, so many per input as may nest."""
    left = list(conditions)
    lines: list[str] = []
    while left:
        lines.append(f"  input i{len(lines)}: {size} where {' and '.join(left[:30])}\n")
        del left[:30]
    return f"model Net {{\n{''.join(lines)}  i0 -> relu\n  output y\n}}\n"


def _fifo(folder: Path) -> Path:
    os.mkfifo(folder / "main.cnn")
    return folder / "main.cnn"


def _folder(folder: Path) -> Path:
    (folder / "main.cnn").mkdir()
    return folder / "main.cnn"


def _link_circle(folder: Path) -> Path:
    (folder / "main.cnn").symlink_to("other.cnn")
    (folder / "other.cnn").symlink_to("main.cnn")
    return folder / "main.cnn"


def _sparse(folder: Path) -> Path:
    with (folder / "main.cnn").open("wb") as stream:
        stream.truncate(100 * 1024 * 1024 * 1024)
    return folder / "main.cnn"


def _device(folder: Path) -> Path:
    return Path("/dev/zero")


FINE = "  conv(8, 3, pad = 1) -> bn -> relu\n"

CASES = (
    # ------------------------------------------------------------------------------------------ work
    Case(
        "a thousand million rounds",
        lambda: model("repeat 1000000000 { conv(3, 1) }"),
        codes=("E0340",),
        says="there are more than 200,000 layers",
    ),
    Case(
        "a thousand million empty rounds",
        lambda: model("repeat 1000000000 { }"),
        codes=("E0320",),
        says="building the network takes more than 100,000 steps that make no layer",
    ),
    Case(
        "2^62 rounds",
        lambda: model("repeat 4611686018427387904 { conv(3, 1) }"),
        codes=("E0340",),
        says="there are more than 200,000 layers",
    ),
    Case(
        "rounds over a range of 2^62",
        lambda: model("repeat i in 0..4611686018427387904 { conv(3, 1) }"),
        codes=("E0340",),
        says="there are more than 200,000 layers",
    ),
    Case(
        "loops within loops",
        lambda: _nested_loops("conv(3, 1)"),
        codes=("E0340",),
        says="there are more than 200,000 layers",
    ),
    Case(
        "empty loops within loops",
        lambda: _nested_loops(""),
        codes=("E0320",),
        says="building the network takes more than 100,000 steps that make no layer",
    ),
    Case(
        "loops of `let` within loops",
        lambda: _nested_loops("let a = 1"),
        codes=("E0320",),
        says="building the network takes more than 100,000 steps that make no layer",
    ),
    Case("loops that count", lambda: _nested_loops("conv(3 + i, 1)", "repeat i in 0..100 {", 1) + ""),
    Case(
        "counting loops within loops",
        lambda: model("repeat a in 0..1000 { repeat b in 0..a { repeat c in 0..b { conv(a + b + c + 1, 1) } } }"),
        codes=("E0340",),
        says="there are more than 200,000 layers",
    ),
    Case(
        "counting loops without layers",
        lambda: model("repeat a in 0..1000 { repeat b in 0..a { repeat c in 0..b { let d = a + b + c } } }"),
        codes=("E0320",),
        says="building the network takes more than 100,000 steps that make no layer",
    ),
    Case(
        "loops over lists within loops",
        lambda: model(
            "let a = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n"
            + "".join(f"for v{n} in a {{" for n in range(12))
            + "conv(3, 1)"
            + "}" * 12
        ),
        codes=("E0340",),
        says="there are more than 200,000 layers",
    ),
    Case(
        "blocks that use the next one twice",
        lambda: _doubling_blocks(60),
        codes=("E0340",),
        says="there are more than 200,000 layers",
    ),
    Case(
        "blocks that use the next one twice, no layer",
        lambda: _doubling_blocks(60, "if false { relu }"),
        codes=("E0320",),
        says="building the network takes more than 100,000 steps that make no layer",
    ),
    Case(
        "a block that uses itself",
        lambda: model("A", before="block A { conv(3, 1) -> A }"),
        codes=("E0319",),
        says="blocks are nested more than 100 deep",
    ),
    Case(
        "a block that uses itself twice",
        lambda: model("A", before="block A { A -> A }"),
        codes=("E0319",),
        says="blocks are nested more than 100 deep",
    ),
    Case(
        "a block that counts down, twice",
        lambda: model("A(60)", before="block A(n) { if n > 0 { A(n - 1) -> A(n - 1) } else { conv(3, 1) } }"),
        codes=("E0340",),
        says="there are more than 200,000 layers",
    ),
    Case(
        "a block that asks for sizes and splits",
        lambda: model(
            "A(60)",
            before="block A(n) { if in.channels + n > 3 { A(n - 1) -> A(n - 1) } else { conv(3, 1) } }",
        ),
        codes=("E0340",),
        says="there are more than 200,000 layers",
    ),
    Case(
        "branches within branches",
        lambda: model("A(40)", before="block A(n) { if n > 0 { add { A(n - 1); A(n - 1) } } else { conv(3, 1) } }"),
        codes=("E0340",),
        says="there are more than 200,000 layers",
    ),
    Case(
        "many models of many layers",
        lambda: (
            model("repeat 50000 { conv(n, 1) }", parameters="(n = 3)")
            + "".join(f"model V{n} = Net(n = {n + 1})\n" for n in range(1000))
        ),
        codes=("E0138",),
        says="there are more than 1,000 definitions up to here",
    ),
    # ------------------------------------------------------------------------------------------ values
    Case("a list doubled sixty times", lambda: _doubling_list(60), codes=("E0302", "E0312", "E0313")),
    Case(
        "a large list copied in a loop",
        lambda: model(
            "".join(f"let a{n + 1} = a{n} + a{n}\n" if n else "let a1 = [1, 2, 3]\n" for n in range(15))
            + "repeat 90000 { let b = a15 + a15 }"
        ),
        codes=("E0320",),
        says="building the network takes more than 100,000 steps that make no layer",
    ),
    Case(
        "a large list compared in a loop",
        lambda: model(
            "".join(f"let a{n + 1} = a{n} + a{n}\n" if n else "let a1 = [1, 2, 3]\n" for n in range(15))
            + "repeat 90000 { if a15 == a15 + [1] { relu } }"
        ),
        codes=("E0320",),
        says="building the network takes more than 100,000 steps that make no layer",
    ),
    Case(
        "a list within a list within a list",
        lambda: model(
            "let a0 = [1]\n" + "".join(f"let a{n + 1} = [a{n}, a{n}, a{n}, a{n}]\n" for n in range(60)) + "conv(a60, 1)"
        ),
        codes=("E0211", "E0313"),
    ),
    Case(
        "a list within a list in a message",
        lambda: model(
            "let a0 = [1]\n"
            + "".join(f"let a{n + 1} = [a{n}, a{n}, a{n}, a{n}]\n" for n in range(60))
            + 'assert params < len(a60), "{a60}{params}{a60}"'
        ),
        codes=("E0313",),
        says="this list is too long (more than 100,000 entries)",
    ),
    Case(
        "two nests of lists compared",
        lambda: model(
            "let a0 = [1]\nlet b0 = [1]\n"
            + "".join(f"let a{n + 1} = [a{n}, a{n}]\nlet b{n + 1} = [b{n}, b{n}]\n" for n in range(60))
            + "if a60 == b60 { relu }"
        ),
        codes=("E0313",),
        says="this list is too long (more than 100,000 entries)",
    ),
    Case(
        "a range of 2^63",
        lambda: model("repeat len(0 - 4611686018427387904..4611686018427387904) { relu }"),
        codes=("E0313",),
        says="this range is too long (2^63 numbers or more)",
    ),
    Case("an entry of a range of 2^63", lambda: model("conv((0 - 9e18..9e18)[0], 1)"), codes=("E0312",)),
    Case(
        "an entry of a range of 2^63 and more",
        lambda: model("let a = 9223372036854775807\nconv((0 - a..a)[0], 1)"),
        codes=("E0313",),
        says="this range is too long (2^63 numbers or more)",
    ),
    Case("numbers squared sixty times", lambda: _squared_numbers(60), codes=("E0302", "E0313")),
    Case(
        "a number of 100,000 digits",
        lambda: model(f"conv({'9' * 100_000}, 1)"),
        codes=("E0105",),
        says="this number is too large",
    ),
    Case(
        "a number of 10 million digits",
        lambda: model(f"conv({'9' * 10_000_000}, 1)"),
        codes=("E0105",),
        says="this number is too large",
    ),
    Case(
        "a number with an exponent of 400",
        lambda: model("conv(1e400, 1)"),
        codes=("E0105",),
        says="this number is too large",
    ),
    Case(
        "a list with a million entries",
        lambda: model(f"let a = [{'1, ' * 1_000_000}1]\nconv(3, 1)"),
        codes=("E0138",),
        says="there are more than 1,000,000 words, numbers, signs and lines up to here",
    ),
    Case(
        "a list with 300,000 entries",
        lambda: model(f"let a = [{'1, ' * 300_000}1]\nconv(3, 1)"),
        codes=("E0138",),
        says="there are more than 100,000 entries in these brackets",
    ),
    Case(
        "a parameter with 90,000 entries of the wrong kind",
        lambda: model(f"conv([{'1, ' * 90_000}1], 1)"),
        codes=("E0211",),
    ),
    Case(
        "a long list in every message",
        lambda: model(f"let a = [{'1, ' * 90_000}1]\n" + "conv(a, 1)\nrelu(a)\nconv(3, a)\n" * 300),
        codes=("E0209", "E0211"),
    ),
    # ------------------------------------------------------------------------------------------ sizes
    Case("10^12 channels", lambda: model("conv(1000000000000, 3) -> conv(1000000000000, 3)")),
    Case("a kernel of 10^18", lambda: model("conv(3, 1000000000000000000)"), codes=("E0202",)),
    Case(
        "a kernel of 10^18 on an image of 10^18",
        lambda: model("conv(3, 999999999999999999, stride = 1000000007)", "3 x 1000000000000000000 x H"),
    ),
    Case(
        "strides of 10^18",
        lambda: model(
            "conv(3, 1, stride = 1000000000000000000) -> deconv(3, 3, stride = 1000000000000000007)\n"
            "assert receptive_field > 0"
        ),
        codes=("W0104", "W0105"),
    ),
    Case(
        "10^18 groups",
        lambda: model("conv(1000000000000000000, 1) -> conv(999999999999999999, 1, groups = 999999999999999998)"),
        codes=("E0205",),
    ),
    Case(
        "coprime upsampling and the receptive field",
        lambda: model(
            "conv(3, 1) as a\n"
            + "".join(
                f"a -> deconv(3, {s}, stride = {s}) -> maxpool({s}, stride = {s})"
                f" -> deconv(3, 3, stride = {s}, pad = 1) -> conv(3, {s}, stride = {s}, pad = {s}) as b{s}\n"
                for s in (13, 17, 19, 23, 29, 31, 37)
            )
            + "b13\nassert receptive_field > 0\noutput b17, b19, b23, b29, b31, b37"
        ),
        codes=("W0104",),
    ),
    Case("padding of 10^18", lambda: model("conv(3, 3, pad = 1000000000000000000) -> conv(3, 3)")),
    Case("dilation of 10^18", lambda: model("conv(3, 3, dilation = 1000000000000000000)"), codes=("E0202",)),
    Case(
        "sizes that grow without end",
        lambda: model("repeat 2000 { deconv(3, 3, stride = 1000000000000000000) }"),
        codes=("E0343",),
        says="deconv: a size gets larger than 2^63",
    ),
    Case(
        "open sizes that grow without end",
        lambda: model("repeat 2000 { deconv(3, 3, stride = 1000000000000000000) }", "3 x H x W"),
        codes=("E0343",),
        says="deconv: a size gets larger than 2^63",
    ),
    Case(
        "open sizes that shrink without end",
        lambda: model("repeat 3000 { conv(3, 3, stride = 97) }", "3 x H x W"),
        codes=("E0343",),
        says="conv: a size gets larger than 2^63",
    ),
    Case(
        "pads that add up",
        lambda: model("repeat 20000 { conv(3, 1, pad = 4611686018427387904) }", "3 x H x W"),
        codes=("E0343",),
        says="conv: a size gets larger than 2^63",
    ),
    Case("coprime strides in a row", lambda: _chain_of_strides(15)),
    Case("coprime strides, far too many", lambda: _chain_of_strides(400), codes=("E0202",)),
    Case(
        "branches of coprime strides",
        lambda: model(
            "conv(3, 1) as a\n"
            + "".join(
                f"a -> maxpool({s}, stride = {s}) -> deconv(3, {s}, stride = {s}) as b{s}\nb{s} -> add(a) as c{s}\n"
                for s in (101, 103, 107, 109, 113, 127, 131, 137, 139, 149)
            ),
            "3 x H x W",
        ),
        codes=("E0203",),
    ),
    Case(
        "divisible by every number",
        lambda: _conditions(f"H % {n} == 1" for n in range(2, 3000)),
        codes=("E0346", "W0112"),
    ),
    Case(
        "divisible by coprime numbers",
        lambda: _conditions(f"H % {n} == 0 and W % {n} == 1" for n in range(1009, 9000, 2)),
        codes=("E0325",),
        says="no size fulfils H % 1021 == 0 together with the conditions before it",
    ),
    Case(
        "products of open sizes",
        lambda: _conditions(f"H * W % {n} == 0" for n in range(2, 2000)),
        codes=("E0342",),
        says="more than 1,000 conditions tie open sizes to each other",
    ),
    Case(
        "powers of open sizes",
        lambda: model("relu", "3 x H x W where " + "H * " * 150 + "W % 97 == 0"),
        codes=("E0343",),
        says="this size has more than 64 terms and roundings",
    ),
    Case(
        "powers of sums of open sizes",
        lambda: model(
            "let a0 = in.height + in.width + 1\n"
            + "".join(f"let a{n + 1} = a{n} * a{n}\n" for n in range(12))
            + "conv(3, 1)",
            "3 x H x W",
        ),
        codes=("E0302", "E0343"),
    ),
    Case(
        "a thousand open sizes",
        lambda: (
            "model Net {\n"
            + "".join(f"  input i{n}: 3 x A{n} x B{n}\n" for n in range(1000))
            + "  i0 -> conv(3, 1)\n  output y\n}\n"
        ),
        codes=("E0342",),
        says="the inputs leave more than 64 sizes open",
    ),
    Case(
        "two thousand sizes tied to each other",
        lambda: (
            "model Net {\n"
            + "".join(f"  input i{n}: 3 x A{n} x B{n}\n" for n in range(1000))
            + "  i0 -> conv(3, 1) as y\n  y -> add("
            + ", ".join(f"i{n}" for n in range(1, 1000))
            + ")\n  output z\n}\n"
        ),
        codes=("E0342",),
        says="the inputs leave more than 64 sizes open",
    ),
    Case(
        "ten thousand conditions on sizes",
        lambda: (
            "model Net {\n"
            + "".join(
                f"  input i{n}: 3 x A{n} x B{n} where A{n} + B{n} >= {n} and 3 * A{n} <= 7 * B{n} + {n}\n"
                for n in range(3000)
            )
            + "  i0 -> conv(3, 1)\n  output y\n}\n"
        ),
        codes=("E0342",),
        says="the inputs leave more than 64 sizes open",
    ),
    Case(
        "a thousand conditions on sums of sizes",
        lambda: (
            "model Net {\n"
            + "".join(
                f"  input i{n}: 3 x A{n} x B{n} where A{n} + B{max(0, n - 1)} + A0 == 3 * B{n} + {n}\n"
                for n in range(300)
            )
            + "  i0 -> conv(3, 1)\n  output y\n}\n"
        ),
        codes=("E0342",),
        says="the inputs leave more than 64 sizes open",
    ),
    Case(
        "thousands of conditions on sums of two sizes",
        lambda: _conditions(f"{n} * H + {n + 1} * W >= {n % 91}" for n in range(1, 5000)),
        codes=("E0346", "W0112"),
    ),
    Case(
        "hundreds of conditions on products of sizes",
        lambda: _conditions(f"H * W + {n} * H >= {n}" for n in range(1, 900)),
        codes=("W0112",),
    ),
    Case(
        "sixty open sizes tied to each other",
        lambda: (
            "model Net {\n"
            + "".join(
                f"  input i{n}: 3 x A{n} x A{n + 1} where 3 * A{n} == 2 * A{max(0, n - 7)} + {n % 5}\n"
                for n in range(60)
            )
            + "  i0 -> conv(3, 1)\n  output y\n}\n"
        ),
        codes=("E0325",),
        says="no size fulfils 3 * A0 == 2 * A0 + 0",
    ),
    Case(
        "sixty open sizes in products",
        lambda: (
            "model Net {\n"
            + "".join(
                f"  input i{n}: 3 x A{n} x A{n + 1} where A{n} * A{max(0, n - 7)} % {n + 2} == 0\n" for n in range(60)
            )
            + "  i0 -> conv(3, 1)\n  output y\n}\n"
        ),
        codes=("E0346", "W0112"),
    ),
    Case(
        "thousands of merges that do not fit",
        lambda: model("conv(3, 3) as a\nconv(3, 3) as b\n" + "b -> add(a)\n" * 5_000 + FINE * 3_000),
        codes=("E0203",),
    ),
    Case(
        "merges that do not fit behind thousands of layers",
        lambda: model("conv(8, 3) as a\n" + FINE * 5_000 + "conv(8, 3) as b\n" + "b -> add(a)\n" * 200),
        codes=("E0203",),
    ),
    Case(
        "metrics by the thousand",
        lambda: model(FINE) + "train Net { metrics = [" + "accuracy, " * 90_000 + "accuracy] }\n",
        codes=("E0404",),
    ),
    Case(
        "recipes and profiles, hundreds of both",
        lambda: (
            model(FINE)
            + "".join(
                f"train Net as r{n} {{ epochs = {n + 1} }}\nprofile p{n} {{ train.epochs = {n + 1} }}\n"
                for n in range(490)
            )
        ),
        codes=("E0341", "E0404"),
        says="490 recipes with 490 profiles are more than 2,000 pairs",
    ),
    Case(
        "hundreds of models",
        lambda: "".join(f"model M{n} {{ input i: 3 x 8 x 8; relu; output y }}\n" for n in range(990)),
    ),
    Case(
        "hundreds of variants of variants",
        lambda: (
            model(FINE, parameters="(a = 1)").replace("Net", "V0")
            + "".join(f"model V{n + 1} = V{n}(a = {n})\n" for n in range(990))
        ),
        codes=("E0320",),
        says="building the network takes more than 100,000 steps that make no layer",
    ),
    Case(
        "hundreds of exports",
        lambda: "".join(
            f"model M{n} {{ input i: 3 x 8 x 8; relu; output y }}\nexport M{n} {{ opset = 17 }}\n" for n in range(490)
        ),
    ),
    Case(
        "the same error in every round",
        lambda: model("repeat 100000 { conv(3, 1)\n nothing(3) }"),
        codes=("E0301",),
    ),
    Case(
        "parameters that hand on a long list",
        lambda: model(
            f"let a = [{'1, ' * 90_000}1]\nB(a)",
            before="block B(a0, "
            + ", ".join(f"a{n + 1} = a{n}" for n in range(300))
            + ") { C(a0) }\nblock C(b) { relu }",
        ),
        codes=("W0111",),
    ),
    Case(
        "powers without an end",
        lambda: model(
            "let a0 = in.height\n" + "".join(f"let a{n + 1} = a{n} * a{n}\n" for n in range(60)) + "relu", "3 x H x W"
        ),
        codes=("E0302", "E0343"),
    ),
    Case(
        "an impossible size behind 20,000 layers",
        lambda: model(FINE * 7_000 + "conv(8, 64)", "3 x H x W where H <= 63"),
        codes=("E0202",),
    ),
    Case(
        "an impossible size at the end",
        lambda: model("repeat 7000 { conv(3, 3) -> relu }", "3 x H x W where H <= 10000"),
        codes=("E0202",),
    ),
    # ------------------------------------------------------------------------------------------ nesting
    Case(
        "10,000 brackets",
        lambda: model("conv(" + "(" * 10_000 + "1" + ")" * 10_000 + ", 1)"),
        codes=("E0107",),
        says="this is nested more than 200 levels deep",
    ),
    Case(
        "a million open brackets on one line",
        lambda: model("conv(" + "(" * 1_000_000),
        codes=("E0138",),
        says="there are more than 1,000,000 words, numbers, signs and lines up to here",
    ),
    Case(
        "a million closing brackets on one line",
        lambda: model(")" * 1_000_000),
        codes=("E0138",),
        says="there are more than 1,000,000 words, numbers, signs and lines up to here",
    ),
    Case(
        "10,000 braces",
        lambda: model("add {" * 10_000 + "relu" + "}" * 10_000),
        codes=("E0107",),
        says="this is nested more than 200 levels deep",
    ),
    Case(
        "10,000 `if`s",
        lambda: model("if true {" * 10_000 + "relu" + "}" * 10_000),
        codes=("E0107",),
        says="this is nested more than 200 levels deep",
    ),
    Case(
        "10,000 `else if`s",
        lambda: model("if false { relu }" + " else if false { relu }" * 10_000),
        codes=("E0107",),
        says="this is nested more than 200 levels deep",
    ),
    Case(
        "branches 190 deep in blocks 90 deep",
        lambda: model(
            "B0",
            before="\n".join(
                [*(f"block B{n} {{ {'add {' * 60} B{n + 1} {'}' * 60} }}" for n in range(90)), "block B90 { relu }"]
            ),
        ),
        codes=("E0319",),
        says="model Net nests blocks and bodies too deep to be built",
    ),
    Case(
        "sums of 100,000 numbers",
        lambda: model(f"conv({'1 + ' * 100_000}1, 1)"),
        codes=("E0107",),
        says="this is nested more than 200 levels deep",
    ),
    Case(
        "a contract of 100,000 parts",
        lambda: model("assert " + "1 < 2 and " * 100_000 + "params < 9"),
        codes=("E0107",),
        says="this is nested more than 200 levels deep",
    ),
    Case(
        "contracts of 190 parts, 2,000 of them",
        lambda: model(("assert " + "params < 900M and " * 190 + "params < 900M\n") * 1000 + FINE),
        codes=("E0107",),
        says="this is nested more than 200 levels deep",
    ),
    Case(
        "names and contracts by the thousand",
        lambda: model("".join(f"let a{n} = {n}\n" for n in range(10_000)) + "assert params < 900M\n" * 10_000 + FINE),
        codes=("E0346", "W0109"),
    ),
    Case(
        "a message of many parts",
        lambda: model("let a = [" + "1, " * 90_000 + '1]\nassert params < 0, "' + "{a}" * 100_000 + '"\n' + FINE),
        codes=("E0321",),
    ),
    # ------------------------------------------------------------------------------------------ texts
    Case("a file of 100 MB", lambda: model(FINE * 3_000_000), codes=("E0136",)),
    Case("a sparse file of 100 GB", place=_sparse, codes=("E0136",)),
    Case(
        "a line of 15 MB",
        lambda: model("conv(3, 1) -> " * 1_100_000 + "relu"),
        codes=("E0138",),
        says="there are more than 1,000,000 words, numbers, signs and lines up to here",
    ),
    Case("a line of 50 MB", lambda: model("conv(3, 1) -> " * 3_600_000 + "relu"), codes=("E0136",)),
    Case("a comment of 15 MB", lambda: model("relu # " + "x" * 15_000_000)),
    Case("10 million comments", lambda: "#\n" * 10_000_000 + model("relu"), codes=("E0136",)),
    Case(
        "5 million comments",
        lambda: "#\n" * 5_000_000 + model("relu"),
        codes=("E0138",),
        says="there are more than 1,000,000 words, numbers, signs and lines here",
    ),
    Case(
        "15 million empty lines",
        lambda: "\n" * 15_000_000 + model("relu"),
        codes=("E0138",),
        says="there are more than 1,000,000 words, numbers, signs and lines here",
    ),
    Case("15 million blanks", lambda: " " * 15_000_000 + model("relu")),
    Case("300,000 comments that allow", lambda: model("# allow W0102\n" * 300_000 + FINE), codes=("E0346", "W0100")),
    Case(
        "a name of a million letters",
        lambda: model(f"conv(3, 1) as {'x' * 1_000_000}\nrepeat 1000 {{ relu }}"),
        codes=("E0139",),
        says="this word has more than 256 characters",
    ),
    Case(
        "a long name in a loop",
        lambda: model(f"repeat 50000 {{ conv(3, 1) as {'x' * 100_000} }}"),
        codes=("E0139",),
        says="this word has more than 256 characters",
    ),
    Case(
        "long names of blocks, deep",
        lambda: model(
            "B0",
            before="\n".join(
                [
                    *(f"block B{n} {{ repeat 3 {{ B{n + 1} as {'x' * 250} }} }}" for n in range(11)),
                    "block B11 { conv(3, 1) }",
                ]
            ),
        ),
        codes=("E0320",),
        says="building the network takes more than 100,000 steps that make no layer",
    ),
    Case(
        "two long names that nearly agree",
        lambda: model(f"conv(3, 1) as {'x' * 100_000}y\n{'x' * 100_000}z -> relu"),
        codes=("E0139",),
        says="this word has more than 256 characters",
    ),
    Case(
        "thousands of names that nearly agree",
        lambda: model(
            "".join(f"conv(3, 1) as value{n:05}\n" for n in range(5_000))
            + "".join(f"add(valve{n:05})\n" for n in range(5_000))
        ),
        codes=("E0302",),
    ),
    Case("a text of 15 MB", lambda: model(f'relu\nassert params < 0, "{"x" * 15_000_000}"'), codes=("E0321",)),
    Case("thousands of errors of syntax", lambda: model("conv(8 8)\n" * 50_000), codes=("E0108",)),
    Case(
        "thousands of errors on one line",
        lambda: model("conv(8 8); " * 500_000),
        codes=("E0138",),
        says="there are more than 1,000,000 words, numbers, signs and lines up to here",
    ),
    Case("thousands of unknown signs", lambda: model("$ a " * 200_000), codes=("E0102",)),
    Case(
        "thousands of errors of size",
        lambda: model("conv(3, 1) as a\n" + "a -> conv(3, 99)\n" * 10_000),
        codes=("E0202",),
    ),
    Case("thousands of unknown names", lambda: model("nothing(3)\n" * 20_000), codes=("E0301",)),
    Case(
        "thousands of names used too early",
        lambda: model(
            "".join(f"add(v{n})\n" for n in range(20_000)) + "".join(f"relu as v{n}\n" for n in range(20_000))
        ),
        codes=("E0308",),
    ),
    Case(
        "thousands of errors in blocks within blocks",
        lambda: model(
            "B0",
            before="\n".join(
                [*(f"block B{n} {{ B{n + 1} }}" for n in range(90)), "block B90 {" + "conv(3, 99); bn\n" * 5_000 + "}"]
            ),
        ),
        codes=("E0202",),
    ),
    Case(
        "thousands of warnings",
        lambda: model("".join(f"let unused{n} = {n}\n" for n in range(30_000)) + FINE),
        codes=("E0346", "W0109"),
    ),
    Case(
        "thousands of dead layers",
        lambda: model("conv(3, 1) as a\n" + "a -> conv(3, 3)\n" * 10_000 + "a -> relu"),
        codes=("E0346", "W0112"),
    ),
    Case(
        "thousands of unused blocks",
        lambda: "".join(f"block B{n} {{ relu }}\n" for n in range(30_000)) + model(FINE),
        codes=("E0138",),
        says="there are more than 1,000 definitions up to here",
    ),
    Case(
        "thousands of models",
        lambda: "".join(f"model M{n} {{ input i: 3 x 8 x 8; relu; output y }}\n" for n in range(10_000)),
        codes=("E0138",),
        says="there are more than 1,000 definitions up to here",
    ),
    Case(
        "thousands of variants of variants",
        lambda: (
            model(FINE, parameters="(a = 1)").replace("Net", "V0")
            + "".join(f"model V{n + 1} = V{n}(a = {n})\n" for n in range(5_000))
        ),
        codes=("E0138",),
        says="there are more than 1,000 definitions up to here",
    ),
    Case(
        "thousands of recipes and profiles",
        lambda: (
            model(FINE)
            + "".join(
                f"train Net as r{n} {{ epochs = {n + 1} }}\nprofile p{n} {{ train.epochs = {n + 1} }}\n"
                for n in range(5_000)
            )
        ),
        codes=("E0138",),
        says="there are more than 1,000 definitions up to here",
    ),
    Case(
        "a recipe of 10,000 settings",
        lambda: (
            model(FINE) + "train Net {\n" + "".join(f"  data{n} = digits(a = {n})\n" for n in range(10_000)) + "}\n"
        ),
        codes=("E0402",),
    ),
    Case(
        "a recipe 150 deep",
        lambda: model(FINE) + "train Net {\n" + "a { " * 150 + "b = 1" + "}" * 150 + "\n}\n",
        codes=("E0402", "E0404"),
    ),
    Case(
        "thousands of exports",
        lambda: "".join(
            f"model M{n} {{ input i: 3 x 8 x 8; relu; output y }}\nexport M{n} {{ opset = 17 }}\n" for n in range(3_000)
        ),
        codes=("E0138",),
        says="there are more than 1,000 definitions up to here",
    ),
    Case(
        "thousands of arguments",
        lambda: model(f"conv({', '.join(f'a{n} = {n}' for n in range(30_000))})"),
        codes=("E0208",),
    ),
    Case(
        "thousands of parameters",
        lambda: model(
            f"B({', '.join(f'a{n} = {n}' for n in range(30_000))})",
            before=f"block B({', '.join(f'a{n} = 0' for n in range(30_000))}) {{ relu }}",
        ),
        codes=("E0346", "W0111"),
    ),
    # ------------------------------------------------------------------------------------------ traps for the lexer
    Case("/* without an end, again and again", lambda: model("/* " * 1_000_000), codes=("E0106", "E0115")),
    Case("quotes without an end", lambda: model('"' + "\\" * 5_000_001 + "\n"), codes=("E0104",)),
    Case(
        "quotes without an end on every line",
        lambda: model('f("a, "b, c\n' * 100_000),
        codes=("E0107",),
        says="this is nested more than 200 levels deep",
    ),
    Case("quotes without an end on one line", lambda: model("f(" + "\"a, 'b, \u201cc, " * 300_000), codes=("E0104",)),
    Case("single quotes without an end", lambda: model("'a\\" * 1_000_000), codes=("E0104",)),
    Case(
        "a number with many points",
        lambda: model("conv(1" + ".1" * 3_000_000 + ")"),
        codes=("E0105",),
        says="`1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1…` is neither a number nor a name",
    ),
    Case(
        "a number with many letters",
        lambda: model("conv(1" + "_1e" * 3_000_000 + ")"),
        codes=("E0139",),
        says="this word has more than 256 characters",
    ),
    Case(
        "sizes glued together",
        lambda: model("relu", "3" + "x3" * 1_000_000),
        codes=("E0139",),
        says="this word has more than 256 characters",
    ),
    Case(
        "glued sizes that do not fit",
        lambda: model("relu", "3" + "x3" * 1_000_000 + "y"),
        codes=("E0139",),
        says="this word has more than 256 characters",
    ),
    Case("escapes in a text", lambda: model('assert 1 < 2, "' + "\\q" * 500_000 + '"\nrelu'), codes=("E0104",)),
    Case(
        "a million minus signs",
        lambda: model("conv(" + "- " * 900_000 + "1, 1)"),
        codes=("E0107",),
        says="this is nested more than 200 levels deep",
    ),
    Case("arrows of 10 million dashes", lambda: model("relu " + "-" * 10_000_000 + "> relu"), codes=("E0115",)),
    # ------------------------------------------------------------------------------------------ characters
    Case("look-alikes of letters", lambda: model("c\u043env(8, 1)\n" * 20_000), codes=("E0103",)),
    Case(
        "signs that turn the direction",
        lambda: model("relu # \u202e }\n\u2066conv\u2069(3, 1)\n" * 2_000),
        codes=("E0103",),
    ),
    Case("NUL bytes", lambda: model("relu\0\0\0"), codes=("E0134",)),
    Case("10 million NUL bytes", lambda: b"\0" * 10_000_000, codes=("E0135",)),
    Case("lone carriage returns", lambda: model(FINE).replace("\n", "\r"), codes=("W0102",)),
    Case(
        "millions of carriage returns",
        lambda: b"\r" * 10_000_000 + model(FINE).encode(),
        codes=("E0138",),
        says="there are more than 1,000,000 words, numbers, signs and lines here",
    ),
    Case("byte order marks everywhere", lambda: "\ufeff" + model("\ufeffrelu\ufeff\n" * 20_000), codes=("E0103",)),
    Case(
        "invalid UTF-8 at the end", lambda: model("# " + "x" * 10_000_000).encode() + b"\xff\xfe\xfd", codes=("E0135",)
    ),
    Case("UTF-8 of half a character", lambda: model("relu").encode() + b"\xf0\x9f", codes=("E0135",)),
    Case("surrogates in UTF-8", lambda: b"model \xed\xa0\x80", codes=("E0135",)),
    Case("UTF-16", lambda: model("relu").encode("utf-16"), codes=("E0135",)),
    # ------------------------------------------------------------------------------------------ files
    Case("a named pipe", place=_fifo, codes=("E0132",)),
    Case("a device without an end", place=_device, codes=("E0132",)),
    Case("a folder", place=_folder, codes=("E0132",)),
    Case("links in a circle", place=_link_circle, codes=("E0131",)),
    Case(
        "a file that uses itself",
        lambda: 'use "main.cnn"\n' + model("relu"),
        codes=("E0328",),
        says="a file uses itself",
    ),
    Case(
        "files that use each other",
        lambda: 'use "b.cnn"\n' + model("relu"),
        files=lambda: {"b.cnn": 'use "main.cnn"\nblock B { relu }\n'},
        codes=("E0328",),
    ),
    Case(
        "forty diamonds of files",
        lambda: 'use "a0.cnn"\nuse "b0.cnn"\n' + model("Ba0 -> Bb0"),
        files=lambda: _diamonds(40),
    ),
    Case(
        "a hundred files in a row",
        lambda: 'use "f0.cnn"\n' + model("relu"),
        files=lambda: {f"f{n}.cnn": f'use "f{n + 1}.cnn"\nblock B{n} {{ relu }}\n' for n in range(100)},
        codes=("E0329",),
        says="too many files are used",
    ),
    Case(
        "many large files of one comment each",
        lambda: "".join(f'use "f{n}.cnn"\n' for n in range(20)) + model("relu"),
        files=lambda: {f"f{n}.cnn": f"block B{n} {{ relu }}  # {'x' * 1_000_000}\n" for n in range(20)},
        codes=("E0329",),
        says="too many files are used",
    ),
    Case(
        "the same file used 100,000 times",
        lambda: 'use "b.cnn"\n' * 100_000 + model("relu"),
        files=lambda: {"b.cnn": "block B { relu }\n"},
        codes=("E0138",),
        says="there are more than 1,000 definitions up to here",
    ),
    Case(
        "100,000 files that are not there",
        lambda: "".join(f'use "f{n}.cnn"\n' for n in range(100_000)) + model("relu"),
        codes=("E0138",),
        says="there are more than 1,000 definitions up to here",
    ),
)
