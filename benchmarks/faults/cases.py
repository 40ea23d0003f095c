"""The faults that every tool is asked about: one small change each of two networks, in the notation of every tool.

`¦` in a change stands before the faulty token; it is taken out of the text, and a tool that tells line and column must
tell these. A tool that is missing in a case cannot express the fault (or, with `plain`, the network).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

BASES = Path(__file__).resolve().parent / "bases"
MARK = "¦"
ENDINGS = {"striate": "cnn", "onnx": "onnxtxt", "nnef": "nnef", "keras": "keras.py", "torch": "torch.py"}

Changes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake: what a message must contain to name its cause, both values, and a repair that works.

    `cause` and `repair` are regular expressions, of which one match is enough; of `values` every one must be found.
    """

    cause: str
    values: tuple[str, ...] = ()
    repair: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A fault or several in one file, or (without faults) a network that must be accepted."""

    name: str
    title: str
    base: str
    faults: tuple[Fault, ...]
    changes: Mapping[str, Changes] = field(default_factory=dict)

    def text(self, tool: str) -> tuple[str, list[tuple[int, int]]] | None:
        """Return the text for a tool and the places (line and column) of its faults; None where it has none."""
        if tool not in self.changes:
            return None
        text = (BASES / f"{self.base}.{tool}").read_text(encoding="utf-8")
        for old, new in self.changes[tool]:
            if text.count(old) != 1:
                raise ValueError(f"{self.name}, {tool}: {old!r} occurs {text.count(old)} times")
            text = text.replace(old, new)
        places = []
        while MARK in text:
            before, text = text.split(MARK, 1)
            places.append((before.count("\n") + 1, len(before) - before.rfind("\n")))
            text = before + text
        return text, places


NAME = Fault(r"(?i)covn", repair=r"(?i)did you mean:? '?`?(conv|conv2d)\b")
STRIDE = Fault(r"(?i)stride", (r"-1\b",), r"(?i)(write 1\b|stride = 1)")
REFERENCE = Fault(r"\bskp\b", repair=r"(?i)did you mean:? '?`?skip\b")
WINDOW = Fault(
    r"(?i)(kernel.*(larger|greater|exceed)|output size would be zero or negative)",
    (r"\b8\b", r"\b11\b"),
    r"(?i)(pad(ding)? = 2|kernel = [78]|at most 8)",
)
GROUPS = Fault(
    r"(?i)group.*divi|divi.*group|split into|times groups",
    (r"\b16\b|\b32\b", r"\b3\b"),
    r"groups = [124]\b|groups = 8\b",
)
RESIDUAL = Fault(r"(?i)(differ|must match|incompatible|broadcast)", (r"\b32\b", r"\b16\b"), r"(?i)channels = (16|32)")
JOINED = Fault(
    r"(?i)(differ|must match|matching shapes|must be identical)", (r"\b32\b", r"\b16\b"), r"(?i)stride = 1\b"
)
UNFLATTENED = Fault(
    r"(?i)(flat|rank|2D|cannot be multiplied|reduction dim)",
    (r"\b2048\b",),
    r"(?i)(write|->|insert).*flatten|flatten ->",
)
FEATURES = Fault(
    r"(?i)(mat1 and mat2|reduction dim|does not match|mismatch|inputs)",
    (r"\b2048\b", r"\b1024\b"),
    r"(?i)(use|write|=) ?2048",
)
BRACKET = Fault(
    r"(?i)(never closed|closing|expected|does not match|unmatched)", repair=r"(?i)write \)|insert|expected ['\")]*\)"
)
PARAMETER = Fault(r"paddng|padddings|pdas|pddings", repair=r"(?i)did you mean:? '?`?pad")

CASES = (
    Case("S", "the sequence", "s", (), dict.fromkeys(ENDINGS, ())),
    Case("B", "the branch", "b", (), dict.fromkeys(ENDINGS, ())),
    Case(
        "F01",
        "unknown layer",
        "s",
        (NAME,),
        {
            "striate": (("conv(32", "¦covn(32"),),
            "onnx": (("c2 = Conv", "c2 = ¦Covn"),),
            "nnef": (("c2 = conv", "c2 = ¦covn"),),
            "keras": (("layers.Conv2D(32", "layers.¦Covn2D(32"),),
            "torch": (("nn.Conv2d(16", "nn.¦Covn2d(16"),),
        },
    ),
    Case(
        "F01v",
        "misspelt argument",
        "s",
        (PARAMETER,),
        {
            "striate": (("conv(32, 3, pad", "conv(32, 3, ¦paddng"),),
            "onnx": (("Conv <pads = [1, 1, 1, 1]> (p1", "Conv <¦pdas = [1, 1, 1, 1]> (p1"),),
            "nnef": (("conv(p1, w2, 0.0, padding", "conv(p1, w2, 0.0, ¦paddng"),),
            "keras": (('(32, 3, padding="same"', '(32, 3, ¦paddng="same"'),),
            "torch": (("(16, 32, 3, padding", "(16, 32, 3, ¦paddng"),),
        },
    ),
    Case(
        "F02",
        "kernel larger than the image",
        "s",
        (WINDOW,),
        {
            "striate": (("  flatten", "  conv(32, ¦11)\n  flatten"),),
            "onnx": (
                ("float[2048, 10] w3", "float[32, 32, 11, 11] w4, float[32, 10] w3"),
                ("f = Flatten (p2)", "c3 = ¦Conv (p2, w4)\n    f = Flatten (c3)"),
            ),
            "nnef": (
                (
                    "f = reshape(p2,",
                    "w4 = variable(label = 'w4', shape = [32, 32, 11, 11]);\n"
                    "    c3 = ¦conv(p2, w4, 0.0, padding = [(0,0), (0,0)]);\n    f = reshape(c3,",
                ),
                ("[10, 2048]", "[10, 32]"),
            ),
            "keras": (("x = layers.Flatten", "x = layers.¦Conv2D(32, 11)(x)\nx = layers.Flatten"),),
            "torch": (
                (
                    "self.dense = nn.Linear(2048",
                    "self.conv3 = nn.Conv2d(32, 32, 11)\n        self.dense = nn.Linear(32",
                ),
                ("x = x.flatten", "x = ¦self.conv3(x)\n        x = x.flatten"),
            ),
        },
    ),
    Case(
        "F02v",
        "two negative sizes with a positive product",
        "s",
        (WINDOW,),
        {
            "striate": (("  flatten", "  conv(32, ¦11)\n  flatten\n  assert in.features == 128\n  identity"),),
            "onnx": (
                ("float[2048, 10] w3", "float[32, 32, 11, 11] w4, float[128, 10] w3"),
                ("f = Flatten (p2)", "c3 = ¦Conv (p2, w4)\n    f = Flatten (c3)"),
            ),
            "nnef": (
                (
                    "f = reshape(p2,",
                    "w4 = variable(label = 'w4', shape = [32, 32, 11, 11]);\n"
                    "    c3 = ¦conv(p2, w4, 0.0, padding = [(0,0), (0,0)]);\n    f = reshape(c3,",
                ),
                ("[10, 2048]", "[10, 128]"),
            ),
            "torch": (
                (
                    "self.dense = nn.Linear(2048",
                    "self.conv3 = nn.Conv2d(32, 32, 11)\n        self.dense = nn.Linear(128",
                ),
                ("x = x.flatten", "x = ¦self.conv3(x)\n        x = x.flatten"),
            ),
        },
    ),
    Case(
        "F03",
        "residual add of other channels",
        "b",
        (RESIDUAL,),
        {
            "striate": (("conv(16, 3, pad = 1) as body", "conv(32, 3, pad = 1) as body"), ("add(skip", "add(¦skip")),
            "onnx": (
                ("float[16, 16, 3, 3] w2", "float[32, 16, 3, 3] w2"),
                ("float[16384", "float[32768"),
                ("total = Add", "total = ¦Add"),
            ),
            "nnef": (
                ("'w2', shape = [16, 16", "'w2', shape = [32, 16"),
                ("[10, 16384]", "[10, 32768]"),
                ("total = add", "total = ¦add"),
            ),
            "keras": (
                ('(16, 3, padding="same", name="conv2")', '(32, 3, padding="same", name="conv2")'),
                ("layers.Add", "layers.¦Add"),
            ),
            "torch": (
                ("nn.Conv2d(16, 16", "nn.Conv2d(16, 32"),
                ("nn.Linear(16384", "nn.Linear(32768"),
                ("total = body + skip", "total = ¦body + skip"),
            ),
        },
    ),
    Case(
        "F04",
        "wrong number of inputs of a dense layer",
        "s",
        (FEATURES,),
        {
            "onnx": (("float[2048, 10] w3", "float[1024, 10] w3"), ("y = Gemm", "y = ¦Gemm")),
            "nnef": (("[10, 2048]", "[10, 1024]"), ("y = linear", "y = ¦linear")),
            "torch": (("nn.Linear(2048", "nn.Linear(1024"), ("return self.dense", "return ¦self.dense")),
        },
    ),
    Case(
        "F05",
        "channels that do not divide into the groups",
        "s",
        (GROUPS,),
        {
            "striate": (("conv(32, 3, pad = 1)", "conv(32, 3, pad = 1, groups = ¦3)"),),
            "onnx": (("c2 = Conv <pads = [1, 1, 1, 1]>", "c2 = ¦Conv <pads = [1, 1, 1, 1], group = 3>"),),
            "nnef": (("conv(p1, w2, 0.0,", "¦conv(p1, w2, 0.0, groups = 3,"),),
            "keras": (
                ('(32, 3, padding="same"', '(32, 3, groups=3, padding="same"'),
                ("layers.Conv2D(32", "layers.¦Conv2D(32"),
            ),
            "torch": (("nn.Conv2d(16, 32, 3, padding=1", "nn.¦Conv2d(16, 32, 3, padding=1, groups=3"),),
        },
    ),
    Case(
        "F05v",
        "only the input's channels do not divide",
        "s",
        (GROUPS,),
        {
            "striate": (("conv(32, 3, pad = 1)", "conv(33, 3, pad = 1, groups = ¦3)"),),
            "onnx": (
                ("float[32, 16, 3, 3] w2, float[2048", "float[33, 16, 3, 3] w2, float[2112"),
                ("c2 = Conv <pads = [1, 1, 1, 1]>", "c2 = ¦Conv <pads = [1, 1, 1, 1], group = 3>"),
            ),
            "nnef": (
                ("[32, 16, 3, 3]", "[33, 16, 3, 3]"),
                ("[10, 2048]", "[10, 2112]"),
                ("conv(p1, w2, 0.0,", "¦conv(p1, w2, 0.0, groups = 3,"),
            ),
            "keras": (
                ('(32, 3, padding="same"', '(33, 3, groups=3, padding="same"'),
                ("x = layers.Conv2D(33", "x = layers.¦Conv2D(33"),
            ),
            "torch": (
                ("nn.Conv2d(16, 32, 3, padding=1", "nn.¦Conv2d(16, 33, 3, padding=1, groups=3"),
                ("nn.Linear(2048", "nn.Linear(2112"),
            ),
        },
    ),
    Case(
        "F06",
        "bracket not closed",
        "s",
        (BRACKET,),
        {
            "striate": (("conv(32, 3, pad = 1)", "conv¦(32, 3, pad = 1"),),
            "onnx": (("> (p1, w2)", "> ¦(p1, w2"),),
            "nnef": (("conv(p1, w2, 0.0, padding = [(1,1), (1,1)]);", "conv¦(p1, w2, 0.0, padding = [(1,1), (1,1)];"),),
            "keras": (
                ('Conv2D(32, 3, padding="same", name="conv2")(x)', 'Conv2D¦(32, 3, padding="same", name="conv2"(x)'),
            ),
            "torch": (("nn.Conv2d(16, 32, 3, padding=1)", "nn.Conv2d¦(16, 32, 3, padding=1"),),
        },
    ),
    Case(
        "F07",
        "negative stride",
        "s",
        (STRIDE,),
        {
            "striate": (("conv(32, 3, pad = 1)", "conv(32, 3, pad = 1, stride = ¦-1)"),),
            "onnx": (("c2 = Conv <pads = [1, 1, 1, 1]>", "c2 = ¦Conv <pads = [1, 1, 1, 1], strides = [-1, -1]>"),),
            "nnef": (("conv(p1, w2, 0.0,", "¦conv(p1, w2, 0.0, stride = [-1, -1],"),),
            "keras": (('layers.Conv2D(32, 3, padding="same"', 'layers.¦Conv2D(32, 3, strides=-1, padding="same"'),),
            "torch": (
                ("nn.Conv2d(16, 32, 3, padding=1", "nn.Conv2d(16, 32, 3, stride=-1, padding=1"),
                ("torch.relu(self.conv2", "torch.relu(¦self.conv2"),
            ),
        },
    ),
    Case(
        "F08",
        "value that does not exist",
        "b",
        (REFERENCE,),
        {
            "striate": (("add(skip", "add(¦skp"),),
            "onnx": (("Add (body, skip)", "Add (body, ¦skp)"),),
            "nnef": (("add(body, skip)", "add(body, ¦skp)"),),
            "keras": (("([body, skip])", "([body, ¦skp])"),),
            "torch": (("body + skip", "body + ¦skp"),),
        },
    ),
    Case(
        "F09",
        "one name for two values",
        "b",
        (Fault(r"(?i)(already|twice|unique|multiple times|2 times|duplicate)"),),
        {
            "striate": (("as body", "as ¦skip"),),
            "onnx": (("body = Conv", "¦skip = Conv"), ("Add (body, skip)", "Add (skip, skip)")),
            "nnef": (("body = conv", "¦skip = conv"), ("add(body, skip)", "add(skip, skip)")),
            "keras": (('name="conv2"', 'name=¦"conv1"'),),
            "torch": (
                ("self.conv2 = nn", "self.¦conv1 = nn"),
                ("nn.Conv2d(3, 16", "nn.Conv2d(3, 16"),
                ("self.conv2(skip)", "self.conv1(skip)"),
            ),
        },
    ),
    Case(
        "F10",
        "cycle",
        "b",
        (Fault(r"(?i)(cycl|topological|before it is|undeclared|not associated|not defined)"),),
        {
            "striate": (
                ("conv(16, 3, pad = 1) as body", "add(¦b) -> relu as a\n  relu as b"),
                ("add(skip) as total", "identity"),
            ),
            "onnx": (
                ("body = Conv <pads = [1, 1, 1, 1]> (skip, w2)", "body = Conv <pads = [1, 1, 1, 1]> (¦total, w2)"),
            ),
            "nnef": (("conv(skip, w2, 0.0,", "conv(¦total, w2, 0.0,"),),
            "keras": (('name="conv2")(skip)', 'name="conv2")(¦total)'),),
            "torch": (("body = self.conv2(skip)", "body = self.conv2(¦total)"),),
        },
    ),
    Case(
        "F11",
        "concat of other heights and widths",
        "b",
        (JOINED,),
        {
            "striate": (
                ("conv(16, 3, pad = 1) as body", "image -> conv(16, 3, stride = 2, pad = 1) as body"),
                ("add(skip)", "concat(¦skip)"),
            ),
            "onnx": (
                ("float[16, 16, 3, 3] w2, float[16384", "float[16, 3, 3, 3] w2, float[32768"),
                (
                    "body = Conv <pads = [1, 1, 1, 1]> (skip",
                    "body = Conv <pads = [1, 1, 1, 1], strides = [2, 2]> (image",
                ),
                ("total = Add (body", "total = ¦Concat <axis = 1> (body"),
            ),
            "nnef": (
                ("'w2', shape = [16, 16", "'w2', shape = [16, 3"),
                ("conv(skip, w2, 0.0,", "conv(image, w2, 0.0, stride = [2, 2],"),
                ("total = add(body, skip)", "total = ¦concat([body, skip], axis = 1)"),
                ("[10, 16384]", "[10, 32768]"),
            ),
            "keras": (
                (
                    'layers.Conv2D(16, 3, padding="same", name="conv2")(skip)',
                    'layers.Conv2D(16, 3, strides=2, padding="same", name="conv2")(image)',
                ),
                ("layers.Add()", "layers.¦Concatenate()"),
            ),
            "torch": (
                ("nn.Conv2d(16, 16, 3, padding=1)", "nn.Conv2d(3, 16, 3, stride=2, padding=1)"),
                ("self.conv2(skip)", "self.conv2(image)"),
                ("total = body + skip", "total = ¦torch.cat([body, skip], 1)"),
                ("nn.Linear(16384", "nn.Linear(32768"),
            ),
        },
    ),
    Case(
        "F12",
        "dense layer on an image",
        "s",
        (UNFLATTENED,),
        {
            "striate": (("flatten -> dense(10)", "¦dense(10)"),),
            "onnx": (("    f = Flatten (p2)\n", ""), ("y = Gemm (f", "y = ¦Gemm (p2")),
            "nnef": (("    f = reshape(p2, shape = [0, -1]);\n", ""), ("y = linear(f", "y = ¦linear(p2")),
            "keras": (("x = layers.Flatten()(x)\n", ""), ("layers.Dense", "layers.¦Dense")),
            "torch": (("        x = x.flatten(1)\n", ""), ("return self.dense", "return ¦self.dense")),
        },
    ),
    Case(
        "F12v",
        "dense layer of the last axis' size on an image",
        "s",
        (UNFLATTENED,),
        {
            "striate": (("flatten -> dense(10)", "¦dense(8) -> dense(10)"),),
            "onnx": (
                ("    f = Flatten (p2)\n", ""),
                ("y = Gemm (f", "y = ¦Gemm (p2"),
                ("float[2048, 10]", "float[8, 10]"),
            ),
            "nnef": (
                ("    f = reshape(p2, shape = [0, -1]);\n", ""),
                ("y = linear(f", "y = ¦linear(p2"),
                ("[10, 2048]", "[10, 8]"),
            ),
            "torch": (
                ("        x = x.flatten(1)\n", ""),
                ("return self.dense", "return ¦self.dense"),
                ("nn.Linear(2048", "nn.Linear(8"),
            ),
        },
    ),
    Case(
        "M1",
        "three faults in one file",
        "b",
        (NAME, STRIDE, REFERENCE),
        {
            "striate": (
                ("conv(16, 3, pad = 1) as skip", "¦covn(16, 3, pad = 1) as skip"),
                ("conv(16, 3, pad = 1) as body", "conv(16, 3, pad = 1, stride = ¦-1) as body"),
                ("add(skip", "add(¦skp"),
            ),
            "onnx": (
                ("skip = Conv", "skip = ¦Covn"),
                ("body = Conv <pads = [1, 1, 1, 1]>", "body = ¦Conv <pads = [1, 1, 1, 1], strides = [-1, -1]>"),
                ("Add (body, skip)", "Add (body, ¦skp)"),
            ),
            "nnef": (
                ("skip = conv", "skip = ¦covn"),
                ("body = conv(skip, w2, 0.0,", "body = ¦conv(skip, w2, 0.0, stride = [-1, -1],"),
                ("add(body, skip)", "add(body, ¦skp)"),
            ),
            "keras": (
                (
                    'layers.Conv2D(16, 3, padding="same", name="conv1")',
                    'layers.¦Covn2D(16, 3, padding="same", name="conv1")',
                ),
                (
                    'layers.Conv2D(16, 3, padding="same", name="conv2")',
                    'layers.¦Conv2D(16, 3, strides=-1, padding="same", name="conv2")',
                ),
                ("([body, skip])", "([body, ¦skp])"),
            ),
            "torch": (
                ("nn.Conv2d(3, 16", "nn.¦Covn2d(3, 16"),
                ("nn.Conv2d(16, 16, 3, padding=1", "nn.¦Conv2d(16, 16, 3, stride=-1, padding=1"),
                ("body + skip", "body + ¦skp"),
            ),
        },
    ),
    Case(
        "M2",
        "two faults of sizes in separate branches",
        "b",
        (
            STRIDE,
            Fault(
                r"(?i)(flat value|mat1 and mat2|reduction dim|does not match|mismatch)",
                (r"\b(16384|3072)\b",),
                r"(?i)flatten ->|16384",
            ),
        ),
        {
            "striate": (
                ("conv(16, 3, pad = 1) as body", "skip -> conv(16, 3, pad = 1, stride = ¦-1) as body"),
                ("add(skip) as total\n  flatten -> dense(10)", "skip -> ¦dense(1024) as other"),
                ("output logits", "output body, other"),
            ),
            "onnx": (
                ("body = Conv <pads = [1, 1, 1, 1]>", "body = ¦Conv <pads = [1, 1, 1, 1], strides = [-1, -1]>"),
                ("    total = Add (body, skip)\n    f = Flatten (total)\n", "    f = Flatten (skip)\n"),
                ("float[16384, 10] w3", "float[1024, 10] w3"),
                ("y = Gemm", "y = ¦Gemm"),
                ("=> (float[N, 10] y)", "=> (float[N, 10] y, float[N, 16, H, W] body)"),
            ),
            "nnef": (
                ("body = conv(skip, w2, 0.0,", "body = ¦conv(skip, w2, 0.0, stride = [-1, -1],"),
                ("    total = add(body, skip);\n    f = reshape(total,", "    f = reshape(skip,"),
                ("[10, 16384]", "[10, 1024]"),
                ("y = linear", "y = ¦linear"),
                ("-> ( y )", "-> ( y, body )"),
            ),
            "torch": (
                ("nn.Conv2d(16, 16, 3, padding=1", "nn.Conv2d(16, 16, 3, stride=-1, padding=1"),
                ("self.conv2(skip)", "¦self.conv2(skip)"),
                ("total = body + skip\n        x = total.flatten(1)", "x = skip.flatten(1)"),
                ("nn.Linear(16384", "nn.Linear(1024"),
                ("return self.dense(x)", "return ¦self.dense(x), body"),
            ),
        },
    ),
    Case("C1", "a kernel as large as the image", "c", (), dict.fromkeys(ENDINGS, ())),
    Case(
        "C2",
        "a depthwise convolution",
        "c",
        (),
        {
            "striate": (("conv(4, 8)", "conv(16, 3, pad = 1, groups = 16)"),),
            "onnx": (
                ("float[4, 16, 8, 8]", "float[16, 1, 3, 3]"),
                ("Conv (", "Conv <pads = [1, 1, 1, 1], group = 16> ("),
                ("float[N, 4,", "float[N, 16,"),
            ),
            "nnef": (
                ("[4, 16, 8, 8]", "[16, 1, 3, 3]"),
                ("0.0, padding = [(0,0), (0,0)]", "0.0, groups = 16, padding = [(1,1), (1,1)]"),
            ),
            "keras": (("Conv2D(4, 8)", 'Conv2D(16, 3, padding="same", groups=16)'),),
            "torch": (("Conv2d(16, 4, 8)", "Conv2d(16, 16, 3, padding=1, groups=16)"),),
        },
    ),
    Case(
        "C3",
        "a concat of different channels",
        "c",
        (),
        {
            "striate": (("conv(4, 8)", "concat { identity; conv(8, 1) }"),),
            "onnx": (
                ("float[4, 16, 8, 8]", "float[8, 16, 1, 1]"),
                ("y = Conv (image, w)", "a = Conv (image, w)\n    y = Concat <axis = 1> (image, a)"),
                ("float[N, 4,", "float[N, 24,"),
            ),
            "nnef": (
                ("[4, 16, 8, 8]", "[8, 16, 1, 1]"),
                ("y = conv", "a = conv"),
                ("(0,0)]);", "(0,0)]);\n    y = concat([image, a], axis = 1);"),
            ),
            "keras": (("layers.Conv2D(4, 8)(image)", "layers.Concatenate()([image, layers.Conv2D(8, 1)(image)])"),),
            "torch": (
                ("Conv2d(16, 4, 8)", "Conv2d(16, 8, 1)"),
                ("self.conv(image)", "torch.cat([image, self.conv(image)], 1)"),
            ),
        },
    ),
    Case(
        "C4",
        "a kernel larger than the image but not than the padded one",
        "c",
        (),
        {
            "striate": (("8 x 8", "1 x 1"), ("conv(4, 8)", "conv(4, 3, pad = 1)")),
            "onnx": (
                ("float[N, 16, 8, 8]", "float[N, 16, 1, 1]"),
                ("float[4, 16, 8, 8]", "float[4, 16, 3, 3]"),
                ("Conv (", "Conv <pads = [1, 1, 1, 1]> ("),
            ),
            "nnef": (
                ("[1, 16, 8, 8]", "[1, 16, 1, 1]"),
                ("[4, 16, 8, 8]", "[4, 16, 3, 3]"),
                ("[(0,0), (0,0)]", "[(1,1), (1,1)]"),
            ),
            "keras": (("(8, 8, 16)", "(1, 1, 16)"), ("Conv2D(4, 8)", 'Conv2D(4, 3, padding="same")')),
            "torch": (("Conv2d(16, 4, 8)", "Conv2d(16, 4, 3, padding=1)"), ("(16, 8, 8)", "(16, 1, 1)")),
        },
    ),
    Case(
        "C5",
        "a stride that does not divide exactly",
        "c",
        (),
        {
            "striate": (("conv(4, 8)", "conv(4, 3, stride = 2)"),),
            "onnx": (("float[4, 16, 8, 8]", "float[4, 16, 3, 3]"), ("Conv (", "Conv <strides = [2, 2]> (")),
            "nnef": (
                ("[4, 16, 8, 8]", "[4, 16, 3, 3]"),
                ("conv(image, w, 0.0,", "conv(image, w, 0.0, stride = [2, 2],"),
            ),
            "keras": (("Conv2D(4, 8)", "Conv2D(4, 3, strides=2)"),),
            "torch": (("Conv2d(16, 4, 8)", "Conv2d(16, 4, 3, stride=2)"),),
        },
    ),
)
"""The two networks, twelve faults, their variants, files with several faults, and networks that only look faulty."""
