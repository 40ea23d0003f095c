"""The syntax tree of a `.cnn` file: what was written, with the place of every piece, and no meaning yet.

Every class is a read-only dataclass whose first field is the span of its text. Names are not looked up here:
whether `tower` is a layer, a block, a named value or an instance is for the elaborator to find out.
"""

from __future__ import annotations

from typing import Literal

from striate_dsl.source import Span
from striate_dsl.value_class import value_class

# --------------------------------------------------------------------------------------------- expressions


@value_class
class Identifier:
    """A name, e.g. after `as`, `block` or before `=` in an argument; blanks around the dots of `as a.b` are gone."""

    span: Span
    text: str


@value_class
class Number:
    """`3`, `0.5`, `1e-4`, `5M` (5,000,000), `300k` (300,000)."""

    span: Span
    value: int | float


@value_class
class Text:
    """A text in double quotes, escapes resolved."""

    span: Span
    value: str


@value_class
class Boolean:
    """`true` or `false`."""

    span: Span
    value: bool


@value_class
class Name:
    """A plain name, or one with a number in it (`stage1.2.conv1`).

    `in` is the name of the value that flows into the call or statement where it stands.
    """

    span: Span
    text: str


@value_class
class ListLiteral:
    """`[a, b]`."""

    span: Span
    items: tuple[Expression, ...]


@value_class
class TupleLiteral:
    """`(a, b)`; `(a)` is just `a` in brackets."""

    span: Span
    items: tuple[Expression, ...]


@value_class
class Unary:
    """`-a`, `+a` or `not a`."""

    span: Span
    operator: Literal["-", "+", "not"]
    operand: Expression


@value_class
class Binary:
    """`+ - * / // %`, `and or`, and the comparisons `== != < <= > >=`."""

    span: Span
    operator: str
    left: Expression
    right: Expression


@value_class
class Conditional:
    """`value if condition else otherwise`."""

    span: Span
    value: Expression
    condition: Expression
    otherwise: Expression


@value_class
class Range:
    """`start..stop`, stop excluded in loops."""

    span: Span
    start: Expression
    stop: Expression


@value_class
class Attribute:
    """`in.channels`, `skip.height`, `owner.name`."""

    span: Span
    base: Expression
    name: Identifier


@value_class
class Index:
    """`depths[0]`."""

    span: Span
    base: Expression
    index: Expression


@value_class
class Argument:
    """One argument of a call: `64` (name is None) or `stride = 2`."""

    span: Span
    name: Identifier | None
    value: Expression


@value_class
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


@value_class
class Body:
    """The statements between `{` and `}`; the span includes the braces."""

    span: Span
    statements: tuple[Statement, ...]


@value_class
class Names:
    """`(left, right)` behind `as`: a name for each value of a layer; the span includes the brackets."""

    span: Span
    names: tuple[Identifier, ...]


@value_class
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


@value_class
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


@value_class
class Flow:
    """`a -> b -> c`."""

    span: Span
    steps: tuple[Step, ...]


@value_class
class Repeat:
    """`repeat n { … }` (`variable` is None) or `repeat i in 0..n { … }`."""

    span: Span
    variable: Identifier | None
    count: Expression
    body: Body


@value_class
class For:
    """`for w in list { … }` or `for (w, n) in [(64, 3)] { … }`; one variable is a tuple of one."""

    span: Span
    variables: tuple[Identifier, ...]
    unpack: bool
    iterable: Expression
    body: Body


@value_class
class If:
    """`if c { … } else if d { … } else { … }`; a chained `else if` is a body that holds one `If`."""

    span: Span
    condition: Expression
    then: Body
    otherwise: Body | None


@value_class
class Let:
    """`let tower = Tower(64)`: one instance of a block or layer, or a constant."""

    span: Span
    name: Identifier
    value: Expression


@value_class
class Assert:
    """`assert params <= 26M, "too big: {params}"`."""

    span: Span
    condition: Expression
    message: Text | None


@value_class
class Setting:
    """One entry of a recipe, contract or input body: `train.epochs = 1`, `color = rgb`, or nested `key { … }`.

    `key` is the dotted path; exactly one of `value` and `body` is present.
    """

    span: Span
    key: tuple[Identifier, ...]
    value: Expression | None
    body: tuple[Setting, ...] | None


@value_class
class Input:
    """`input image: 3 x H x W where H % 32 == 0 { color = rgb }`; `sizes` are channels first, batch implied."""

    span: Span
    name: Identifier
    sizes: tuple[Expression, ...]
    condition: Expression | None
    settings: tuple[Setting, ...]


@value_class
class Output:
    """`output logits`, `output boxes, scores`, `output stem.relu1 as early`: an alias, or None, for each name."""

    span: Span
    names: tuple[Identifier, ...]
    aliases: tuple[Identifier | None, ...]


@value_class
class Head:
    """`head ssd(p3, p4, classes = classes)`; the span leaves the `as` part out."""

    span: Span
    callee: Name | Attribute
    arguments: tuple[Argument, ...] | None
    alias: Identifier | None


Statement = Flow | Repeat | For | If | Let | Assert | Input | Output | Head

# --------------------------------------------------------------------------------------------- definitions


@value_class
class Parameter:
    """`out` or `stride = 1` in the head of a block or model."""

    span: Span
    name: Identifier
    default: Expression | None


@value_class
class Language:
    """`language 1`."""

    span: Span
    version: Number


@value_class
class Use:
    """`use "blocks.cnn"`, `use zoo.resnet`, `use vision.conv as vconv`."""

    span: Span
    target: Text | tuple[Identifier, ...]
    alias: Identifier | None


@value_class
class Requires:
    """`requires detection >= 1.0`; `operator` and `version` are None where only the plugin is named."""

    span: Span
    plugin: tuple[Identifier, ...]
    operator: str | None
    version: str | None


@value_class
class Block:
    """`block Name(a, b = 2) { … }`."""

    span: Span
    name: Identifier
    parameters: tuple[Parameter, ...]
    body: Body


@value_class
class Model:
    """`model Name(classes = 10) { … }`."""

    span: Span
    name: Identifier
    parameters: tuple[Parameter, ...]
    body: Body


@value_class
class Variant:
    """`model ResNet50 = ResNet(depths = [3, 4, 6, 3])`; `base` may be dotted."""

    span: Span
    name: Identifier
    base: Name | Attribute
    arguments: tuple[Argument, ...]


@value_class
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


@value_class
class File:
    """A whole file: its definitions in order."""

    span: Span
    definitions: tuple[Definition, ...]
