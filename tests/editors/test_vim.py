"""The Vim files in the real Vim: colours against our own lexer, indentation against our own formatter."""

from __future__ import annotations

import re

import pytest

from striate_dsl.formatter import format_source
from striate_dsl.formatting.lines import WIDTH
from striate_dsl.source import Source
from tests.editors.corpus import CORNERS, examples, files, random_files
from tests.editors.readings import COMMENT, KEYWORD, NAME, NUMBER, TEXT, hangs_on_another_line, place, read
from tests.editors.vim_script import Vim

WORDS = (
    "As Current Logical Constant Condition Loop In Import Define Output Head Let AssertWord InputWord Where SectionWord"
)
GROUPS = {
    COMMENT: ("cnnComment", "cnnAllow", "cnnTodo"),
    TEXT: ("cnnText", "cnnMessage", "cnnEscape", "cnnPlaceholder"),
    NUMBER: ("cnnNumber", "cnnSize", "cnnVersion"),
    KEYWORD: tuple(f"cnn{word}" for word in WORDS.split()),
}
OTHERS = {group for groups in GROUPS.values() for group in groups}


@pytest.fixture
def vim(editors, tmp_path):
    return Vim(editors / "vim", tmp_path)


@pytest.fixture(scope="module")
def corpus(repository):
    return {**files(repository), **examples(repository), "corners": CORNERS, **random_files(8)}


@pytest.mark.vim
def test_colours_agree_with_the_lexer(vim, corpus):
    pieces = {name: read(text) for name, text in corpus.items()}
    places = [[at for piece in found for at in (piece.start, piece.end - 1)] for found in pieces.values()]
    wrong = []
    for (name, text), groups in zip(corpus.items(), vim.groups(list(corpus.values()), places), strict=True):
        for piece, first, last in zip(pieces[name], groups[::2], groups[1::2], strict=True):
            seen = {first, last}
            fits = not seen & OTHERS if piece.kind == NAME else seen <= set(GROUPS[piece.kind])
            if not fits and not hangs_on_another_line(text, piece):
                wrong.append(f"{name}, {place(text, piece)}: {first}, {last}")
    assert not wrong, "\n".join(wrong[:20])


@pytest.mark.vim
def test_indentation_is_that_of_the_formatter(vim, corpus):
    """A comment on a line of its own may stand in a column with others, which Vim does not look for."""
    canonical = {name: format_source(Source(name, text)).text for name, text in corpus.items()}
    wrong = []
    for (name, text), lines in zip(canonical.items(), vim.indented(list(canonical.values())), strict=True):
        pairs = zip(text.splitlines(), lines, strict=True)
        wrong += [(name, right, made) for right, made in pairs if right != made and not right.lstrip().startswith("#")]
    assert not wrong, wrong[:10]


@pytest.mark.vim
def test_options_are_set_for_the_file_type(vim):
    found = vim.options(["commentstring", "shiftwidth", "expandtab", "filetype", "suffixesadd", "textwidth"])
    assert found == ["# %s", 2, 1, "cnn", ".cnn", WIDTH]


@pytest.mark.vim
@pytest.mark.parametrize(
    ("text", "word", "group"),
    [
        ("block Unit(a) { a }", "Unit", "cnnDefined"),
        ("conv(8, pad = half)", "half", "cnnChoice"),
        ("conv(8, pad = half)", "pad", "cnnArgument"),
        ("conv(8) -> relu", "relu", "cnnStep"),
        ("x = min(3, 4)", "min", "cnnFunction"),
        ("input image: 3 x H x W", "H", "cnnSymbol"),
        ("assert params < 3", "params", "cnnTotal"),
        ("add(a) # allow W0102", "W0102", "cnnAllow"),
        ("train Net { epochs = 3 }", "epochs", "cnnKey"),
        ("train Net { epochs = 3 }", "Net", "cnnModel"),
        ('assert a, "{params}"', "{params}", "cnnPlaceholder"),
    ],
)
def test_words_get_their_group(vim, text, word, group):
    assert vim.groups([text], [[text.index(word)]]) == [[group]]


def test_every_group_has_a_colour(editors):
    """Needs no Vim: a group that is named and never linked to one of Vim's own would stay plain."""
    text = (editors / "vim" / "syntax" / "cnn.vim").read_text(encoding="utf-8")
    linked = set(re.findall(r"^highlight default link (\w+)", text, re.MULTILINE))
    named = set(re.findall(r"syntax (?:match|region|keyword) (\w+)", text)) | set(re.findall(r"matchgroup=(\w+)", text))
    plain = {"cnnName", "cnnBlock", "cnnBrackets", "cnnBrace", "cnnBracket", "cnnSettings"}
    structure = {"cnnAssert", "cnnInput", "cnnLoopHead", "cnnSection", "cnnFlow", "cnnRequired"}
    names = {"cnnNamed", "cnnProperty", "cnnInputName"}
    assert named - linked == plain | structure | names
    assert linked <= named


def test_the_server_of_neovim_is_the_command(editors):
    """Needs no Neovim: the table is of a form that can be read here, and says what the other editors do."""
    lines = (editors / "vim" / "lsp" / "striate.lua").read_text(encoding="utf-8").splitlines()
    table = dict(re.findall(r"^  (\w+) = \{ (.*) \},$", "\n".join(lines), re.MULTILINE))
    assert {key: re.findall(r'"([^"]*)"', value) for key, value in table.items()} == {
        "cmd": ["striate", "lsp"],
        "filetypes": ["cnn"],
        "root_markers": ["striate.toml", "pyproject.toml", ".git"],
    }
    assert [line for line in lines if not line.startswith(("--", "  "))] == ["return {", "}"]
