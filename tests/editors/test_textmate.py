"""The TextMate grammar in VS Code's tokenizer: what each token is, and whether it agrees with our own lexer."""

from __future__ import annotations

import pytest

from tests.editors.corpus import CORNERS, examples, files, texts
from tests.editors.readings import COMMENT, KEYWORD, NAME, NUMBER, TEXT, Piece, hangs_on_another_line, place, read

pytestmark = [pytest.mark.node, pytest.mark.xdist_group("node")]

WORDS = (
    "keyword.control",
    "keyword.operator.logical",
    "storage.type",
    "constant.language",
    "variable.language.current",
)
SCOPES: dict[str, tuple[str, ...]] = {
    COMMENT: ("comment.line",),
    TEXT: ("string.quoted",),
    NUMBER: ("constant.numeric",),
    KEYWORD: WORDS,
}
EVERYTHING = tuple(scope for scopes in SCOPES.values() for scope in scopes)
TEXT_OF_MANY = """\
# LeNet-5
# allow W0102, W0104
use "blocks.cnn" as mine
requires detection >= 1.0rc1
block Unit(width = 8, act = relu) { conv(width, 3, pad = half) -> bn -> act }
model Wide = Net(width = 64)
model Net {
  input image: 3 x H x W where H % 32 == 0 {
    color = rgb
  }
  skip -> concat(early) as joined
  add { Unit(16); identity }
  repeat i in 0..4 { relu }
  if in.channels != max(16, 300k) { tanh }
  head ssd.boxes(joined)
  let stem = Unit(3)
  assert params <= 26M, "too big: {params}\\n"
  output logits
}
train Net as long { optimizer = sgd(lr = 1e-4); model.depth = 3 }
"""


def scopes_by_character(text, tokens):
    found: list[list[str]] = [[]] * len(text)
    for start, end, scopes in tokens:
        found[start:end] = [scopes[1:]] * (end - start)
    return found


def has(scopes: list[str], wanted: tuple[str, ...]) -> bool:
    return any(scope.startswith(wanted) for scope in scopes)


def agrees(piece: Piece, scopes: list[list[str]]) -> bool:
    """Whether each character of a piece looks like what the lexer says it is, and like nothing else."""
    inside = scopes[piece.start : piece.end]
    if piece.kind == NAME:
        return not any(has(each, EVERYTHING) for each in inside)
    others = tuple(scope for kind in SCOPES if kind != piece.kind for scope in SCOPES[kind])
    return all(has(each, SCOPES[piece.kind]) and not has(each, others) for each in inside)


def test_the_tokenizer_agrees_with_the_lexer(workshop, repository):
    corpus = texts(repository)
    assert len(files(repository)) >= 12
    assert len(examples(repository)) >= 7
    kinds: dict[str, int] = {}
    wrong = []
    for (name, text), tokens in zip(corpus.items(), workshop.tokens(list(corpus.values())), strict=True):
        scopes = scopes_by_character(text, tokens)
        for piece in read(text):
            kinds[piece.kind] = kinds.get(piece.kind, 0) + 1
            if not agrees(piece, scopes) and not hangs_on_another_line(text, piece):
                wrong.append(f"{name}, {place(text, piece)}: {scopes[piece.start]}")
    assert not wrong, "\n".join(wrong[:20])
    assert min(kinds[kind] for kind in (*SCOPES, NAME)) > 500


def test_nothing_legal_is_marked_as_a_mistake(workshop, repository):
    corpus = {**files(repository), **examples(repository), "corners": CORNERS}
    for name, tokens in zip(corpus, workshop.tokens(list(corpus.values())), strict=True):
        assert not [scopes for _, _, scopes in tokens if has(scopes, ("invalid",))], name


@pytest.fixture(scope="module")
def tokens(workshop):
    """The tokens of the text above: their scope (the innermost), in order, by what they say."""
    found: dict[str, list[str]] = {}
    for start, end, scopes in workshop.tokens([TEXT_OF_MANY])[0]:
        found.setdefault(TEXT_OF_MANY[start:end].strip(), []).append(scopes[-1])
    return found


@pytest.mark.parametrize(
    ("word", "scope"),
    [
        ("allow", "keyword.other.allow.cnn"),
        ("W0102, W0104", "constant.other.code.cnn"),
        ("use", "keyword.control.import.cnn"),
        ("mine", "variable.other.definition.cnn"),
        ("1.0rc1", "constant.numeric.version.cnn"),
        ("block", "storage.type.definition.cnn"),
        ("Wide", "entity.name.type.model.cnn"),
        ("width", "variable.parameter.cnn"),
        ("pad", "variable.parameter.cnn"),
        ("half", "support.constant.padding.cnn"),
        ("bn", "entity.name.function.layer.cnn"),
        ("H", "constant.other.symbol.cnn"),
        ("x", "keyword.operator.times.cnn"),
        ("where", "keyword.control.where.cnn"),
        ("color", "variable.other.property.setting.cnn"),
        ("rgb", "support.constant.choice.cnn"),
        ("skip", "variable.other.value.cnn"),
        ("joined", "variable.other.definition.cnn"),
        ("identity", "entity.name.function.layer.cnn"),
        ("..", "keyword.operator.range.cnn"),
        ("channels", "variable.other.property.cnn"),
        ("max", "support.function.cnn"),
        ("300k", "constant.numeric.cnn"),
        ("26M", "constant.numeric.cnn"),
        ("ssd.boxes", "entity.name.function.head.cnn"),
        ("params", "variable.language.total.cnn"),
        ("{params}", "variable.other.placeholder.cnn"),
        ("\\n", "constant.character.escape.cnn"),
        ("logits", "variable.other.definition.cnn"),
        ("train", "storage.type.section.cnn"),
        ("long", "entity.name.tag.recipe.cnn"),
        ("1e-4", "constant.numeric.cnn"),
        ("model.depth", "variable.other.property.setting.cnn"),
        ("->", "keyword.operator.arrow.cnn"),
    ],
)
def test_tokens_get_their_scope(tokens, word, scope):
    assert scope in tokens[word]


def test_one_word_has_a_scope_for_each_meaning(tokens):
    assert tokens["in"] == ["keyword.control.loop.cnn", "variable.language.current.cnn"]


def test_code_in_markdown_is_coloured(workshop):
    text = "# Title\n\n```cnn repaired\nconv(6, 5) -> tanh\n```\n\nconv(6, 5) # no code\n\n~~~striate\nbn # c\n~~~\n"
    found = {text[start:end]: scopes for start, end, scopes in workshop.tokens([text], scope="text.html.markdown")[0]}
    assert found["conv"][-2:] == ["meta.embedded.block.cnn", "entity.name.function.layer.cnn"]
    assert found["tanh"][-1] == "entity.name.function.layer.cnn"
    assert found[" c"][-1] == "comment.line.number-sign.cnn"
    assert found["conv(6, 5) # no code"] == ["text.html.markdown"]
