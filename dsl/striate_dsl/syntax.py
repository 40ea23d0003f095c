"""The syntax tree of a `.cnn` file: what was written, with the place of every piece, and no meaning yet.

Every class is a frozen dataclass whose first field is the span of its text. Names are not looked up here:
whether `tower` is a layer, a block, a named value or an instance is for the elaborator to find out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from striate_dsl.source import Span

# --------------------------------------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class Identifier:
    """A name, e.g. after `as`, `block` or before `=` in an argument; blanks around the dots of `as a.b` are gone."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Number:
    """`3`, `0.5`, `1e-4`, `5M` (5,000,000), `300k` (300,000)."""

    span: Span
    value: int | float


@dataclass(frozen=True, slots=True)
class Text:
    """A text in double quotes, escapes resolved."""

    span: Span
    value: str


@dataclass(frozen=True, slots=True)
class Boolean:
    """`true` or `false`."""

    span: Span
    value: bool


@dataclass(frozen=True, slots=True)
class Name:
    """A plain name, or one with a number in it (`stage1.2.conv1`).

    `in` is the name of the value that flows into the call or statement where it stands.
    """

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b]`."""

    span: Span
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class TupleLiteral:
    """`(a, b)`; `(a)` is just `a` in brackets."""

    span: Span
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """`-a`, `+a` or `not a`."""

    span: Span
    operator: Literal["-", "+", "not"]
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """`+ - * / // %`, `and or`, and the comparisons `== != < <= > >=`."""

    span: Span
    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Conditional:
    """`value if condition else otherwise`."""

    span: Span
    value: Expression
    condition: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Range:
    """`start..stop`, stop excluded in loops."""

    span: Span
    start: Expression
    stop: Expression


@dataclass(frozen=True, slots=True)
class Attribute:
    """`in.channels`, `skip.height`, `owner.name`."""

    span: Span
    base: Expression
    name: Identifier


@dataclass(frozen=True, slots=True)
class Index:
    """`depths[0]`."""

    span: Span
    base: Expression
    index: Expression


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call: `64` (name is None) or `stride = 2`."""

    span: Span
    name: Identifier | None
    value: Expression


@dataclass(frozen=True, slots=True)
class CallExpression:
    """A call inside an expression: `min(a, b)`, `sgd(lr = 0.05)`."""

    span: Span
    function: Expression
    arguments: tuple[Argument, ...]


Expression = (
    Number
    | Text
    | Boolean
    | Name
    | ListLiteral
    | TupleLiteral
    | Unary
    | Binary
    | Conditional
    | Range
    | Attribute
    | Index
    | CallExpression
)

# --------------------------------------------------------------------------------------------- flow


@dataclass(frozen=True, slots=True)
class Body:
    """The statements between `{` and `}`; the span includes the braces."""

    span: Span
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """`(left, right)` behind `as`: a name for each value of a layer; the span includes the brackets."""

    span: Span
    names: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One step of a flow: a layer, block, instance or named value, e.g. `conv(64, 3)`, `add { … } as s`, `skip`.

    `arguments` is None where no `()` was written. `callee` may be dotted (`vision.conv`). The span covers callee,
    arguments and body, not the `as` part. Behind `as (left, right)` the alias is the first of the names in `several`.
    """

    span: Span
    callee: Name | Attribute
    arguments: tuple[Argument, ...] | None
    body: Body | None
    alias: Identifier | None
    several: Names | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A step that is a bare `{ … }`: several lines run one after the other, e.g. one branch of a merge.

    `several` as in a call.
    """

    span: Span
    body: Body
    alias: Identifier | None
    several: Names | None = None


Step = Call | Group


def given_names(step: Step | Head) -> tuple[Identifier, ...]:
    """Return the names that a step gives with `as`: none, one, or one for each of its values."""
    if not isinstance(step, Head) and step.several is not None:
        return step.several.names
    return () if step.alias is None else (step.alias,)


def step_end(step: Step) -> int:
    """Return the offset where a step ends, its `as` included."""
    last = step.several or step.alias
    return step.span.end if last is None else last.span.end


@dataclass(frozen=True, slots=True)
class Flow:
    """`a -> b -> c`."""

    span: Span
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`repeat n { … }` (`variable` is None) or `repeat i in 0..n { … }`."""

    span: Span
    variable: Identifier | None
    count: Expression
    body: Body


@dataclass(frozen=True, slots=True)
class For:
    """`for w in list { … }` or `for (w, n) in [(64, 3)] { … }`; one variable is a tuple of one."""

    span: Span
    variables: tuple[Identifier, ...]
    unpack: bool
    iterable: Expression
    body: Body


@dataclass(frozen=True, slots=True)
class If:
    """`if c { … } else if d { … } else { … }`; a chained `else if` is a body that holds one `If`."""

    span: Span
    condition: Expression
    then: Body
    otherwise: Body | None


@dataclass(frozen=True, slots=True)
class Let:
    """`let tower = Tower(64)`: one instance of a block or layer, or a constant."""

    span: Span
    name: Identifier
    value: Expression


@dataclass(frozen=True, slots=True)
class Assert:
    """`assert params <= 26M, "too big: {params}"`."""

    span: Span
    condition: Expression
    message: Text | None


@dataclass(frozen=True, slots=True)
class Setting:
    """One entry of a recipe, contract or input body: `train.epochs = 1`, `color = rgb`, or nested `key { … }`.

    `key` is the dotted path; exactly one of `value` and `body` is present.
    """

    span: Span
    key: tuple[Identifier, ...]
    value: Expression | None
    body: tuple[Setting, ...] | None


@dataclass(frozen=True, slots=True)
class Input:
    """`input image: 3 x H x W where H % 32 == 0 { color = rgb }`; `sizes` are channels first, batch implied."""

    span: Span
    name: Identifier
    sizes: tuple[Expression, ...]
    condition: Expression | None
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Output:
    """`output logits`, `output boxes, scores`, `output stem.relu1 as early`: an alias, or None, for each name."""

    span: Span
    names: tuple[Identifier, ...]
    aliases: tuple[Identifier | None, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """`head ssd(p3, p4, classes = classes)`; the span leaves the `as` part out."""

    span: Span
    callee: Name | Attribute
    arguments: tuple[Argument, ...] | None
    alias: Identifier | None


Statement = Flow | Repeat | For | If | Let | Assert | Input | Output | Head

# --------------------------------------------------------------------------------------------- definitions


@dataclass(frozen=True, slots=True)
class Parameter:
    """`out` or `stride = 1` in the head of a block or model."""

    span: Span
    name: Identifier
    default: Expression | None


@dataclass(frozen=True, slots=True)
class Language:
    """`language 1`."""

    span: Span
    version: Number


@dataclass(frozen=True, slots=True)
class Use:
    """`use "blocks.cnn"`, `use zoo.resnet`, `use vision.conv as vconv`."""

    span: Span
    target: Text | tuple[Identifier, ...]
    alias: Identifier | None


@dataclass(frozen=True, slots=True)
class Requires:
    """`requires detection >= 1.0`; `operator` and `version` are None where only the plugin is named."""

    span: Span
    plugin: tuple[Identifier, ...]
    operator: str | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Block:
    """`block Name(a, b = 2) { … }`."""

    span: Span
    name: Identifier
    parameters: tuple[Parameter, ...]
    body: Body


@dataclass(frozen=True, slots=True)
class Model:
    """`model Name(classes = 10) { … }`."""

    span: Span
    name: Identifier
    parameters: tuple[Parameter, ...]
    body: Body


@dataclass(frozen=True, slots=True)
class Variant:
    """`model ResNet50 = ResNet(depths = [3, 4, 6, 3])`; `base` may be dotted."""

    span: Span
    name: Identifier
    base: Name | Attribute
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A named group of settings beside the architecture.

    `train Model { … }`, `export Model { … }`, `search { … }`, `profile quick { … }`. `name` is None where none was
    written; `alias` is the recipe's own name in `train Model as long { … }`.
    """

    span: Span
    kind: Literal["train", "export", "search", "profile"]
    name: Identifier | None
    alias: Identifier | None
    settings: tuple[Setting, ...]


Definition = Language | Use | Requires | Block | Model | Variant | Section


@dataclass(frozen=True, slots=True)
class File:
    """A whole file: its definitions in order."""

    span: Span
    definitions: tuple[Definition, ...]
