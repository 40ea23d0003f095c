"""Every form of statement and expression: the nodes that it makes and the exact text that each of them spans."""

from __future__ import annotations

import pytest

from striate_dsl import syntax
from striate_dsl.layout import DEFINITION_WORDS, STATEMENT_WORDS
from striate_dsl.lexer import RESERVED
from striate_dsl.parser import parse
from striate_dsl.source import Source
from tests.dsl.trees import outline, preorder, tree, zoo

SHARED = {
    "densenet.cnn": (2, 1, 4, 0),
    "googlenet.cnn": (3, 1, 0, 0),
    "lenet5.cnn": (0, 1, 0, 1),
    "mobilenet_v2.cnn": (3, 1, 0, 0),
    "resnet.cnn": (5, 1, 10, 0),
    "siamese.cnn": (1, 1, 0, 0),
    "unet.cnn": (1, 1, 0, 0),
}
"""Blocks, models, variants and sections of each file of the zoo that the language page shows."""


@pytest.mark.parametrize("name", SHARED)
def test_files_of_the_language_page_parse(name):
    definitions = tree(zoo()[name]).definitions
    kinds = (syntax.Block, syntax.Model, syntax.Variant, syntax.Section)
    assert tuple(sum(isinstance(node, kind) for node in definitions) for kind in kinds) == SHARED[name]
    assert sum(SHARED[name]) == len(definitions)


DEFINITIONS = {
    "language 1": ["Language: language 1", "Number: 1"],
    'use "blocks.cnn"': ['Use: use "blocks.cnn"', 'Text: "blocks.cnn"'],
    "use zoo.resnet": ["Use: use zoo.resnet", "Identifier: zoo", "Identifier: resnet"],
    "use vision.conv as vconv": [
        "Use: use vision.conv as vconv",
        "Identifier: vision",
        "Identifier: conv",
        "Identifier: vconv",
    ],
    "requires detection": ["Requires: requires detection", "Identifier: detection"],
    "requires a.b >= 1.0.2": ["Requires: requires a.b >= 1.0.2", "Identifier: a", "Identifier: b"],
    "block A { }": ["Block: block A { }", "Identifier: A", "Body: { }"],
    "block A(a, b = 2,) {}": [
        "Block: block A(a, b = 2,) {}",
        "Identifier: A",
        "Parameter: a",
        "Identifier: a",
        "Parameter: b = 2",
        "Identifier: b",
        "Number: 2",
        "Body: {}",
    ],
    "model M() { a }": [
        "Model: model M() { a }",
        "Identifier: M",
        "Body: { a }",
        "Flow: a",
        "Call: a",
        "Name: a",
    ],
    "model B = zoo.A(depths = [1])": [
        "Variant: model B = zoo.A(depths = [1])",
        "Identifier: B",
        "Attribute: zoo.A",
        "Name: zoo",
        "Identifier: A",
        "Argument: depths = [1]",
        "Identifier: depths",
        "ListLiteral: [1]",
        "Number: 1",
    ],
    "model B = A": ["Variant: model B = A", "Identifier: B", "Name: A"],
    "train A { }": ["Section: train A { }", "Identifier: A"],
    "train A as long { lr = 1 }": [
        "Section: train A as long { lr = 1 }",
        "Identifier: A",
        "Identifier: long",
        "Setting: lr = 1",
        "Identifier: lr",
        "Number: 1",
    ],
    "search { train.lr = log(1e-4, 1) }": [
        "Section: search { train.lr = log(1e-4, 1) }",
        "Setting: train.lr = log(1e-4, 1)",
        "Identifier: train",
        "Identifier: lr",
        "CallExpression: log(1e-4, 1)",
        "Name: log",
        "Argument: 1e-4",
        "Number: 1e-4",
        "Argument: 1",
        "Number: 1",
    ],
    "export A { axes { h = 1; w.x = 2 } }": [
        "Section: export A { axes { h = 1; w.x = 2 } }",
        "Identifier: A",
        "Setting: axes { h = 1; w.x = 2 }",
        "Identifier: axes",
        "Setting: h = 1",
        "Identifier: h",
        "Number: 1",
        "Setting: w.x = 2",
        "Identifier: w",
        "Identifier: x",
        "Number: 2",
    ],
    "profile quick { train.epochs = 1 }": [
        "Section: profile quick { train.epochs = 1 }",
        "Identifier: quick",
        "Setting: train.epochs = 1",
        "Identifier: train",
        "Identifier: epochs",
        "Number: 1",
    ],
}


@pytest.mark.parametrize("text", DEFINITIONS)
def test_definitions(text):
    assert outline(tree(text)) == DEFINITIONS[text]


STATEMENTS = {
    "conv(64, pad = 1) -> v.bn as s": [
        "Flow: conv(64, pad = 1) -> v.bn as s",
        "Call: conv(64, pad = 1)",
        "Name: conv",
        "Argument: 64",
        "Number: 64",
        "Argument: pad = 1",
        "Identifier: pad",
        "Number: 1",
        "Call: v.bn",
        "Attribute: v.bn",
        "Name: v",
        "Identifier: bn",
        "Identifier: s",
    ],
    "add { a; { b } as c } as d -> e() as f": [
        "Flow: add { a; { b } as c } as d -> e() as f",
        "Call: add { a; { b } as c }",
        "Name: add",
        "Body: { a; { b } as c }",
        "Flow: a",
        "Call: a",
        "Name: a",
        "Flow: { b } as c",
        "Group: { b }",
        "Body: { b }",
        "Flow: b",
        "Call: b",
        "Name: b",
        "Identifier: c",
        "Identifier: d",
        "Call: e()",
        "Name: e",
        "Identifier: f",
    ],
    "merge(axis = 1) { a }": [
        "Flow: merge(axis = 1) { a }",
        "Call: merge(axis = 1) { a }",
        "Name: merge",
        "Argument: axis = 1",
        "Identifier: axis",
        "Number: 1",
        "Body: { a }",
        "Flow: a",
        "Call: a",
        "Name: a",
    ],
    "repeat 3 { }": ["Repeat: repeat 3 { }", "Number: 3", "Body: { }"],
    "repeat i in 0..n { }": [
        "Repeat: repeat i in 0..n { }",
        "Identifier: i",
        "Range: 0..n",
        "Number: 0",
        "Name: n",
        "Body: { }",
    ],
    "for w in ws { }": ["For: for w in ws { }", "Identifier: w", "Name: ws", "Body: { }"],
    "for (w, n,) in [(64, 3)] { }": [
        "For: for (w, n,) in [(64, 3)] { }",
        "Identifier: w",
        "Identifier: n",
        "ListLiteral: [(64, 3)]",
        "TupleLiteral: (64, 3)",
        "Number: 64",
        "Number: 3",
        "Body: { }",
    ],
    "if a { } else if b { } else { }": [
        "If: if a { } else if b { } else { }",
        "Name: a",
        "Body: { }",
        "Body: if b { } else { }",
        "If: if b { } else { }",
        "Name: b",
        "Body: { }",
        "Body: { }",
    ],
    "let t = Tower(64)": [
        "Let: let t = Tower(64)",
        "Identifier: t",
        "CallExpression: Tower(64)",
        "Name: Tower",
        "Argument: 64",
        "Number: 64",
    ],
    'assert params <= 26M, "no: {params}"': [
        'Assert: assert params <= 26M, "no: {params}"',
        "Binary: params <= 26M",
        "Name: params",
        "Number: 26M",
        'Text: "no: {params}"',
    ],
    "input a: 2 * c x H x (w - 1) where H % 32 == 0 { color = rgb }": [
        "Input: input a: 2 * c x H x (w - 1) where H % 32 == 0 { color = rgb }",
        "Identifier: a",
        "Binary: 2 * c",
        "Number: 2",
        "Name: c",
        "Name: H",
        "Binary: (w - 1)",
        "Name: w",
        "Number: 1",
        "Binary: H % 32 == 0",
        "Binary: H % 32",
        "Name: H",
        "Number: 32",
        "Number: 0",
        "Setting: color = rgb",
        "Identifier: color",
        "Name: rgb",
    ],
    "input z: 100 { range = 0..1 }": [
        "Input: input z: 100 { range = 0..1 }",
        "Identifier: z",
        "Number: 100",
        "Setting: range = 0..1",
        "Identifier: range",
        "Range: 0..1",
        "Number: 0",
        "Number: 1",
    ],
    "output boxes, scores": ["Output: output boxes, scores", "Identifier: boxes", "Identifier: scores"],
    "head ssd(p3, classes = n)": [
        "Head: head ssd(p3, classes = n)",
        "Name: ssd",
        "Argument: p3",
        "Name: p3",
        "Argument: classes = n",
        "Identifier: classes",
        "Name: n",
    ],
    "head vision.seg": ["Head: head vision.seg", "Attribute: vision.seg", "Name: vision", "Identifier: seg"],
}


@pytest.mark.parametrize("text", STATEMENTS)
def test_statements(text):
    nodes = outline(tree(f"model M {{\n  {text}\n}}"))
    assert nodes[3:] == STATEMENTS[text]


EXPRESSIONS = {
    "1 + 2 * -3": ["Binary: 1 + 2 * -3", "Number: 1", "Binary: 2 * -3", "Number: 2", "Unary: -3", "Number: 3"],
    "a - b - c": ["Binary: a - b - c", "Binary: a - b", "Name: a", "Name: b", "Name: c"],
    "(a + b) * c": ["Binary: (a + b) * c", "Binary: (a + b)", "Name: a", "Name: b", "Name: c"],
    "not a == b and c": [
        "Binary: not a == b and c",
        "Unary: not a == b",
        "Binary: a == b",
        "Name: a",
        "Name: b",
        "Name: c",
    ],
    "a or b and c": ["Binary: a or b and c", "Name: a", "Binary: b and c", "Name: b", "Name: c"],
    "0..n + 1": ["Range: 0..n + 1", "Number: 0", "Binary: n + 1", "Name: n", "Number: 1"],
    "a if b > 1 else c if d else e": [
        "Conditional: a if b > 1 else c if d else e",
        "Name: a",
        "Binary: b > 1",
        "Name: b",
        "Number: 1",
        "Conditional: c if d else e",
        "Name: c",
        "Name: d",
        "Name: e",
    ],
    "in.channels // 2": [
        "Binary: in.channels // 2",
        "Attribute: in.channels",
        "Name: in",
        "Identifier: channels",
        "Number: 2",
    ],
    "d[i + 1].x": [
        "Attribute: d[i + 1].x",
        "Index: d[i + 1]",
        "Name: d",
        "Binary: i + 1",
        "Name: i",
        "Number: 1",
        "Identifier: x",
    ],
    "v.max(a, min(b))(c,)": [
        "CallExpression: v.max(a, min(b))(c,)",
        "CallExpression: v.max(a, min(b))",
        "Attribute: v.max",
        "Name: v",
        "Identifier: max",
        "Argument: a",
        "Name: a",
        "Argument: min(b)",
        "CallExpression: min(b)",
        "Name: min",
        "Argument: b",
        "Name: b",
        "Argument: c",
        "Name: c",
    ],
    "[]": ["ListLiteral: []"],
    "[1, 2,]": ["ListLiteral: [1, 2,]", "Number: 1", "Number: 2"],
    "(1,)": ["TupleLiteral: (1,)", "Number: 1"],
    "(1, (2))": ["TupleLiteral: (1, (2))", "Number: 1", "Number: (2)"],
    "[true, false]": ["ListLiteral: [true, false]", "Boolean: true", "Boolean: false"],
    "f(a = -b)": ["CallExpression: f(a = -b)", "Name: f", "Argument: a = -b", "Identifier: a", "Unary: -b", "Name: b"],
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions(text):
    nodes = outline(tree(f"model M {{ let value = {text} }}"))
    assert nodes[5:] == EXPRESSIONS[text]


def only(kind: type, text: str):
    """The only node of a kind in a text."""
    (found,) = (node for node in preorder(tree(text)) if isinstance(node, kind))
    return found


def test_fields_that_hold_no_nodes():
    assert only(syntax.Requires, "requires a >= 1.0.2").operator == ">="
    assert only(syntax.Requires, "requires a >= 1.0.2").version == "1.0.2"
    assert only(syntax.Requires, "requires a > 2").version == "2"
    assert only(syntax.Requires, "requires a").version is None
    assert only(syntax.Section, "export A { }").kind == "export"
    assert only(syntax.Section, "search { }").name is None
    assert only(syntax.For, "model M { for a in b { } }").unpack is False
    assert only(syntax.For, "model M { for (a) in b { } }").unpack is True
    assert only(syntax.Call, "model M { a }").arguments is None
    assert only(syntax.Call, "model M { a() }").arguments == ()
    assert only(syntax.Head, "model M { head a }").arguments is None
    assert only(syntax.Binary, "model M { let a = b // c }").operator == "//"
    assert only(syntax.Unary, "model M { let a = not c }").operator == "not"
    assert only(syntax.Language, "language 1").version.value == 1


@pytest.mark.parametrize("sizes", ["3 x 224 x W", "3x224xW", "3 x224 xW", "3x 224x W", "3x224 x W", "3 x 224xW"])
def test_sizes_with_and_without_blanks(sizes):
    sizes = only(syntax.Input, f"model M {{ input image: {sizes} }}").sizes
    assert [size.span.text for size in sizes] == ["3", "224", "W"]


@pytest.mark.parametrize("text", ["HxW", "H x W", "HxW where H == W", "H x W { a = x }"])
def test_symbols_as_sizes(text):
    sizes = only(syntax.Input, f"model M {{ input image: {text} }}").sizes
    assert [size.span.text for size in sizes] == ["H", "W"]


def test_x_is_a_plain_name_elsewhere():
    text = "model M(x) { input x: x x 2 * x x (x); x -> conv(x, x = x) as x; x2 -> x224x224 }"
    sizes = only(syntax.Input, text).sizes
    assert [size.span.text for size in sizes] == ["x", "2 * x", "(x)"]
    assert [call.callee.span.text for call in preorder(tree(text)) if isinstance(call, syntax.Call)] == [
        "x",
        "conv",
        "x2",
        "x224x224",
    ]


SOFT = [*DEFINITION_WORDS, *STATEMENT_WORDS, "where", "x"]


@pytest.mark.parametrize("word", SOFT)
def test_soft_keywords_are_names_where_no_statement_begins(word):
    text = f"model M({word} = 1) {{ a -> {word}({word}, {word} = {word}.{word}) as {word}\n{word} -> a\n{word}(1) }}"
    calls = [node for node in preorder(tree(text)) if isinstance(node, syntax.Call)]
    assert [call.callee.span.text for call in calls] == ["a", word, word, "a", word]
    assert [call.alias.text for call in calls if call.alias] == [word]


@pytest.mark.parametrize("word", [*SOFT, *RESERVED])
def test_every_word_can_be_the_key_of_a_setting_or_argument(word):
    text = f"train A {{ {word} = 1; {word}.{word} = f({word} = 2, {word} = 3); {word} {{ {word} = 4 }} }}"
    section = only(syntax.Section, text)
    assert [[part.text for part in setting.key] for setting in section.settings] == [[word], [word, word], [word]]
    arguments = section.settings[1].value.arguments
    assert [argument.name.text for argument in arguments] == [word, word]


LAYOUTS = [
    "model M { a -> b; if c { d } else { e } }",
    "model M {\n  a -> b\n  if c { d } else { e }\n}",
    "\n# first\n\nmodel M { # body\n\n  a # one\n\n # more\n -> b;;\n if c {\n d\n }\n\n # more\n else\n {\ne }\n}\n\n",
    "model M {\n  a ->\n\n  b\n  if c {\n    d\n  }\n  else { e; }\n  ;\n}\n# last",
    "model M {\r\n  a\r\n  -> b\r\n  if c { d }\r\n  else { e }\r\n}\r\n",
]


@pytest.mark.parametrize("text", LAYOUTS)
def test_line_breaks_that_do_not_count(text):
    kinds = [type(node).__name__ for node in preorder(tree(text))]
    assert kinds == [type(node).__name__ for node in preorder(tree(LAYOUTS[0]))]


def test_line_breaks_inside_brackets():
    text = "model M(\n  a,\n\n  b = 2,\n) {\n  conv(\n    64, # filters\n    kernel = [3,\n 3],\n  ) -> bn\n}"
    (flow,) = tree(text).definitions[0].body.statements
    assert [len(step.arguments or ()) for step in flow.steps] == [2, 0]


def test_a_statement_per_line():
    statements = tree("model M { a\n -> b\n c -> \n d; e\n\n f }").definitions[0].body.statements
    assert [statement.span.text for statement in statements] == ["a\n -> b", "c -> \n d", "e", "f"]


def test_result_of_a_file_with_errors_has_no_tree_but_the_sound_definitions():
    result = parse(Source("test.cnn", "block A { a }\nmodel B { c( }\nmodel C { c }"))
    assert result.file is None
    assert [node.name.text for node in result.partial.definitions] == ["A", "C"]


def test_result_of_a_sound_file_is_whole():
    result = parse(Source("test.cnn", "block A { a }"))
    assert result.partial is result.file is not None


def test_several_names_of_a_step():
    calls = list(preorder(tree("model M { a as b -> c(1) as (d, e) -> { f } as (g, h,) }")))
    steps = [node for node in calls if isinstance(node, syntax.Call | syntax.Group)]
    given = [[name.text for name in syntax.given_names(step)] for step in steps]
    assert given == [["b"], ["d", "e"], ["g", "h"], []]
    assert [step.alias.text if step.alias else None for step in steps] == ["b", "d", "g", None]
    assert [step.several.span.text if step.several else None for step in steps] == [None, "(d, e)", "(g, h,)", None]
    (flow,) = [node for node in calls if isinstance(node, syntax.Flow) and len(node.steps) == 3]
    assert flow.span.text == "a as b -> c(1) as (d, e) -> { f } as (g, h,)"
