"""The generated pages in `docs/` are those that the records give, and the pages of the language's words compile."""

from __future__ import annotations

import re

import pytest

from striate.checking import check_source
from striate.host.catalogue import HostCatalogue
from striate.host.records import FileRecord, HeadRecord, LossRecord
from striate.ops import BUILTIN
from striate.ops.registry import families
from striate.reference.__main__ import pages
from striate.reference.page import Code, Heading, Page, Paragraph, Table
from striate.reference.record_pages import record_page
from striate.reference.statements import statement_page, statement_texts
from striate_dsl.layout import DEFINITION_WORDS, STATEMENT_WORDS
from striate_dsl.lexer import RESERVED
from striate_dsl.source import Source


@pytest.fixture(scope="module")
def made():
    return pages()


def test_the_pages_are_up_to_date(made, repository):
    docs = repository / "docs"
    for name, text in made.items():
        assert (docs / name).read_text(encoding="utf-8") == text, "run: python -m striate.reference"
    files = {path.relative_to(docs).as_posix() for path in (docs / "layers").rglob("*") if path.is_file()}
    assert files == {name for name in made if name.startswith("layers/")}


def test_every_layer_is_in_the_index_once(made):
    assert re.findall(r"^\| \[(\w+)\]\(\1\.md\)", made["layers/README.md"], re.MULTILINE) == list(BUILTIN)
    assert [record.name for family in families().values() for record in family.records] == list(BUILTIN)


def test_everything_the_plugin_provides_is_in_the_collection(made):
    given = HostCatalogue().plugins.contribution("striate-plugins")
    assert given is not None
    own = [name for shelf in given.records.values() for name in shelf]
    assert len(own) > 15
    for name in own:
        assert f"\n### {name}\n" in made["plugins-collection.md"]


def test_the_zoo_has_the_counts_of_the_papers(made):
    page = made["plugins-collection.md"]
    assert "| `ResNet50` | 3 x 224 x 224 | 25,557,032 | 4,089,184,256 |" in page
    assert "| `LeNet5` | 1 x 32 x 32 | 61,706 | 416,520 |" in page


def test_networks_are_shown_as_the_tables_of_the_papers(made):
    """Huang et al., Densely connected networks, 2016, table 1: layers of a block, and the size of its output."""
    page = made["plugins-collection.md"]
    table = table_of(page, "DenseNet")
    assert (
        "| 6 x DenseLayer | 256 x 56 x 56 | 335,040 | 1,040,449,536 | 59x59 |\n| Transition | 128 x 28 x 28 |" in table
    )
    assert "| maxpool 3x3/2 | 64 x 56 x 56 |  |  | 11x11 |" in table
    assert "relu" not in table
    assert "`DenseNet121`:" not in page, "a variant has no table of its own"


def test_the_rows_of_a_table_cost_what_the_network_does(made):
    page = made["plugins-collection.md"]
    for name, parameters, macs in (("ResNet", 25_557_032, 4_089_184_256), ("GhostNet", 5_182_508, 141_150_512)):
        rows = re.findall(r"^\|[^|]+\|[^|]+\| ([\d,]*) \| ([\d,]*) \|[^|]+\|$", table_of(page, name), re.MULTILINE)
        assert sum(int(row[0].replace(",", "") or 0) for row in rows) == parameters
        assert sum(int(row[1].replace(",", "") or 0) for row in rows) == macs


def table_of(page: str, name: str) -> str:
    return page[page.index(f"`{name}`:\n") :].partition("\n\n### ")[0]


def test_a_head_shows_its_parameters():
    catalogue = HostCatalogue()
    page = record_page(HeadRecord, catalogue.head("segmentation"), "striate-plugins", catalogue)
    assert Code("head segmentation(classes)", "text") in page.parts


def test_a_loss_says_what_it_applies():
    catalogue = HostCatalogue()
    page = record_page(LossRecord, catalogue.find(LossRecord, "cross_entropy"), "striate-plugins", catalogue)
    assert "applies softmax itself" in page.markdown()


def test_a_file_that_cannot_be_parsed_has_no_table():
    catalogue = HostCatalogue()
    record = FileRecord("zoo.nothing", "Nothing.", "striate_plugins", "zoo/nothing.cnn")
    parts = record_page(FileRecord, record, "me", catalogue).parts
    assert not [part for part in parts if isinstance(part, Table)]


def test_every_word_of_the_language_has_a_page():
    assert set(statement_texts()) == {*RESERVED, *DEFINITION_WORDS, *STATEMENT_WORDS}


@pytest.mark.parametrize("word", statement_texts())
def test_the_examples_of_a_word_use_it_and_check(word):
    examples = [part.text for part in statement_page(word).parts if isinstance(part, Code)]
    assert examples
    for text in examples:
        assert re.search(rf"\b{word}\b", text)
        found = check_source(Source("example.cnn", text)).diagnostics
        assert [(item.code, item.message) for item in found] == []


def test_markdown_keeps_cells_in_their_cells():
    page = Page("a", "thing", (Heading("Part"), Paragraph("Text."), Table(("x", "y"), (("1 | 2", "one\ntwo"),))))
    assert page.markdown(2) == "## a\n\n### Part\n\nText.\n\n| x | y |\n| --- | --- |\n| 1 \\| 2 | one two |\n"
