"""Random files whose every layer keeps the size of its input, so that they are legal however they are put together."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

LAYERS = ("conv({c}, 3, pad = half)", "conv(in.channels, 1, bias = false)", "relu", "bn", "identity", "tanh")
NAMES = ("early", "skip", "x.y", "deep.0.one", "relu", "conv", "add", "bn1", "_quiet")


class _Body:
    """Writes the statements of one body; names are given once, and used only behind the line that gives them."""

    def __init__(self, random: Random, blocks: list[str], *, model: bool) -> None:
        self.random = random
        self.blocks = blocks
        self.model = model
        self.named: list[str] = []
        self.free = random.sample(NAMES, len(NAMES))
        self.lets: list[str] = []
        self.outputs = 0

    def lines(self, depth: int, *, loop: bool = False) -> list[str]:
        return [self.statement(depth, loop=loop) for _ in range(self.random.randint(1, 4))]

    def statement(self, depth: int, *, loop: bool) -> str:
        kinds = ["flow", "flow", "flow", "value", "assert"]
        if depth > 0:
            kinds += ["repeat", "for", "if", "let"]
        if self.model and not loop:
            kinds += ["output"]
        return getattr(self, f"_{self.random.choice(kinds)}")(depth, loop=loop)

    def _flow(self, depth: int, *, loop: bool) -> str:
        return " -> ".join(self.step(depth, loop=loop) for _ in range(self.random.randint(1, 3)))

    def _value(self, depth: int, *, loop: bool) -> str:
        start = self.random.choice([*self.named, "in"])
        return f"{start} -> {self._flow(depth, loop=loop)}"

    def step(self, depth: int, *, loop: bool) -> str:
        kinds = ["layer", "layer", "merged", "like"]
        if len(self.free) > 1 and not loop:
            kinds += ["parts"]
        if depth > 0:
            kinds += ["block", "block", "merge", "merge", "instance", "group"]
        text = getattr(self, f"_step_{self.random.choice(kinds)}")(depth - 1, loop=loop)
        if self.free and self.random.random() < 0.25 and not loop:
            name = self.free.pop()
            if not text.startswith("{"):
                text += f" as {name}"
                self.named.append(name)
        return text

    def _step_layer(self, depth: int, *, loop: bool) -> str:
        layer = self.random.choice(LAYERS).format(c="in.channels" if self.random.random() < 0.5 else "4")
        return layer if "(" in layer else f"{layer}()"

    def _step_like(self, depth: int, *, loop: bool) -> str:
        if not self.named:
            return "crop(like = in)"
        value = self.random.choice(self.named)
        return self.random.choice(["crop(like = {})", "upsample(2) -> resize(like = {}, mode = nearest)"]).format(value)

    def _step_parts(self, depth: int, *, loop: bool) -> str:
        first, second = self.free.pop(), self.free.pop()
        cut = self.random.choice(["split(2, axis = height)", "{ tanh() -> chunk(2, axis = height) }"])
        return f"{cut} as ({first}, {second}) -> concat({second}, axis = height)"

    def _step_block(self, depth: int, *, loop: bool) -> str:
        if not self.blocks:
            return "relu()"
        arguments = self.random.choice(["", "(2)", "(rounds = 3, wide = true)", "(1, act = tanh)"])
        return f"{self.random.choice(self.blocks)}{arguments}"

    def _step_merged(self, depth: int, *, loop: bool) -> str:
        return f"add({', '.join(self.random.choices([*self.named, 'in'], k=self.random.randint(1, 2)))})"

    def _step_merge(self, depth: int, *, loop: bool) -> str:
        known = [name for name in self.named if self.random.random() < 0.3]
        branches = [self.random.choice(["in", "if in.height == 8 { relu() }", "identity() -> tanh()"])]
        for _ in range(self.random.randint(1, 2)):
            branches.append(f"{{ {self._flow(depth, loop=loop)}; {self._flow(depth, loop=loop)} }}")
        arguments = f"({', '.join(known)}) " if known else " "
        return f"add{arguments}{{ {'; '.join(branches)} }}"

    def _step_group(self, depth: int, *, loop: bool) -> str:
        return f"{{ {'; '.join(self.lines(depth, loop=True))} }}"

    def _step_instance(self, depth: int, *, loop: bool) -> str:
        return self.random.choice(self.lets) if self.lets else "relu()"

    def _repeat(self, depth: int, *, loop: bool) -> str:
        head = self.random.choice(["repeat 2", "repeat i in 0..3", "repeat 1"])
        return f"{head} {{ {'; '.join(self.lines(depth - 1, loop=True))} }}"

    def _for(self, depth: int, *, loop: bool) -> str:
        return "for (w, k) in [(4, 1), (4, 3)] { conv(w, k, pad = half) }"

    def _if(self, depth: int, *, loop: bool) -> str:
        condition = self.random.choice(["in.channels == 4", "in.height > 100", "true", "false"])
        otherwise = f" else {{ {self._flow(depth - 1, loop=True)} }}" if self.random.random() < 0.5 else ""
        return f"if {condition} {{ {'; '.join(self.lines(depth - 1, loop=True))} }}{otherwise}"

    def _let(self, depth: int, *, loop: bool) -> str:
        if loop or len(self.lets) > 1:
            return "relu()"
        name = f"shared{len(self.lets)}"
        value = self.random.choice(["conv(4, 1)", "bn()", *self.blocks])
        self.lets.append(name)
        return f"let {name} = {value}"

    def _assert(self, depth: int, *, loop: bool) -> str:
        return self.random.choice(
            ['assert in.channels == 2 + 2, "{params} of \\"it\\""', "assert params >= 0 and not false"]
        )

    def _output(self, depth: int, *, loop: bool) -> str:
        self.outputs += 1
        if self.named and self.random.random() < 0.5:
            return f"output {self.random.choice(self.named)} as out{self.outputs}"
        return f"output free{self.outputs}"


@st.composite
def files(draw: st.DrawFn) -> str:
    """Draw a file with up to three blocks, which use those before them, and one model."""
    random = draw(st.randoms(use_true_random=False))
    text = ""
    blocks: list[str] = []
    for name in random.sample(["Unit", "ConvBN", "Deep"], random.randint(0, 3)):
        body = _Body(random, list(blocks), model=False)
        fixed = ["repeat rounds { conv(in.channels, 1) -> act }", "if wide { bn() } else { identity() }"]
        inner = "".join(f"  {line}\n" for line in [*fixed, *body.lines(2)])
        text += f"block {name}(rounds = 1, wide = false, act = relu) {{\n{inner}}}\n"
        blocks.append(name)
    body = _Body(random, blocks, model=True)
    lines = body.lines(3)
    size = random.choice(["4 x 8 x 8", "4 x 8 x W where W % 2 == 0 { range = 0..1; mean = 0.5 }"])
    inner = "".join(f"  {line}\n" for line in lines)
    return f"{text}model Net {{\n  input image: {size}\n{inner}  output last\n}}\n"
