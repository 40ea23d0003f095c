"""`use`: what becomes visible, in which file a name is looked up, and every way in which a file cannot be used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import striate
import striate_plugins
from striate.checking import check_file
from striate.graph import fingerprint
from striate.host.catalogue import HostCatalogue
from striate.plugin import FileRecord
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.project.conftest import BLOCKS, net


def found(checked):
    """Return code, file, line and column of every finding."""
    return [
        (item.code, item.span.file, item.span.line, item.span.column) if item.span else (item.code,)
        for item in checked.diagnostics
    ]


@pytest.mark.parametrize(
    ("use", "flow"),
    [
        ('use "../blocks.cnn"', "Unit(4)"),
        ('use "./../nets/../blocks.cnn"', "Unit(4) -> Inner(4)"),
        ('use "../blocks.cnn" as b', "b.Unit(4)"),
        ('use "../blocks.cnn" as b', "let u = b.Unit(3); u -> u"),
        ('use "../blocks.cnn" as b\nblock Apply(unit) { unit(4) }', "Apply(b.Unit)"),
        ('use "../blocks.cnn" as b\nblock Apply(unit) { unit }', "Apply(b.Unit(4))"),
        ('use "../blocks.cnn"\nuse "../blocks.cnn" as b', "Unit(4) -> b.Unit(4)"),
        ('use "../blocks.cnn" as b\nblock Unit(out) { b.Unit(out) }', "Unit(4)"),
    ],
)
def test_blocks_of_a_used_file_can_be_written(project, use, flow):
    checked = project(f"{use}\n{net(flow)}", blocks=BLOCKS)
    assert found(checked) == []
    assert list(checked.domains) == ["Net"]


def test_an_alias_keeps_names_apart(project):
    checked = project(f'use "../blocks.cnn" as b\n{net("Unit(4)")}', blocks=BLOCKS)
    assert found(checked) == [("E0301", "nets/main.cnn", 2, 33)]


def test_a_step_that_names_the_file_itself(project):
    checked = project(f'use "../blocks.cnn" as b\n{net("b(4)")}', blocks=BLOCKS)
    assert found(checked) == [("E0306", "nets/main.cnn", 2, 33)]
    assert checked.diagnostics[0].message == "b is a file, not a layer"


@pytest.mark.parametrize("flow", ["b.Unti(4)", "let u = b.Unti(4)"])
def test_an_unknown_name_of_a_used_file(project, flow):
    checked = project(f'use "../blocks.cnn" as b\n{net(flow)}', blocks=BLOCKS)
    assert [item.code for item in checked.diagnostics] == ["E0301"]
    assert "Unit" in str(checked.diagnostics[0].help)


def test_a_block_means_the_names_of_its_own_file(project):
    """Both files define Inner; each Unit uses the one beside it, and hidden names of a used file's uses stay hidden."""
    main = 'use "../blocks.cnn" as b\nblock Inner(out) { conv(out, 1, bias = false) }\n' + net("b.Unit(4) -> Inner(5)")
    assert found(project(main, blocks=BLOCKS)) == []
    model = striate.load("nets/main.cnn")
    assert model.parameters == 4 * (3 * 9 + 1) + 4 * 5
    deep = project(f'use "../middle.cnn"\n{net("Outer(4)")}', middle='use "blocks.cnn"\nblock Outer(n) { Unit(n) }')
    assert found(deep) == []
    hidden = project(f'use "../middle.cnn"\n{net("Unit(4)")}')
    assert found(hidden) == [("E0301", "nets/main.cnn", 2, 33)]


def test_arguments_of_a_variant_mean_the_names_of_the_file_that_writes_it(project):
    base = "block Unit(n) { conv(n, 1) }\nmodel Base(unit = Unit) { input i: 3 x 8 x 8; unit(4); output y }\n"
    main = (
        'use "../base.cnn" as b\nblock Unit(n) { conv(n, 5) }\nmodel Mine = b.Base(unit = Unit)\nmodel Plain = b.Base\n'
    )
    assert found(project(main, base=base)) == []
    assert striate.load("nets/main.cnn", "Mine").parameters == 4 * (3 * 25 + 1)
    assert striate.load("nets/main.cnn", "Plain").parameters == 4 * (3 + 1)
    assert striate.load("nets/main.cnn", "Plain", unit="Unit").parameters == 4 * (3 * 25 + 1)
    assert striate.load("nets/main.cnn", "b.Base").parameters == 4 * (3 + 1)


def test_variants_of_the_same_name_in_two_files_are_no_circle(project):
    base = "model Net(n = 4) { input i: 3 x 8 x 8; conv(n, 1); output y }\n"
    assert found(project('use "../base.cnn" as b\nmodel Net = b.Net(n = 2)\n', base=base)) == []
    assert striate.load("nets/main.cnn").parameters == 2 * 4


def test_a_mistake_in_a_used_block_is_shown_there_with_the_way_to_it(project):
    checked = project(f'use "../blocks.cnn"\n{net("Unit(4)")}', blocks=BLOCKS.replace("conv(out, 3", "conv(out, 33"))
    (item,) = checked.diagnostics
    assert (item.code, item.span.file, item.span.line) == ("E0202", "blocks.cnn", 2)
    assert "in block Unit, used at nets/main.cnn:2:33" in item.notes


def test_a_syntax_error_in_a_used_file_is_shown_there_and_nothing_follows_from_it(project):
    checked = project(f'use "../blocks.cnn"\n{net("Unit(4) -> Nope(3)")}', blocks="block Unit(out) { conv(out }\n")
    assert found(checked) == [("E0106", "blocks.cnn", 1, 23)]
    assert checked.diagnostics[0].notes[-1] == "used at nets/main.cnn:1:1"


def test_other_mistakes_are_told_in_the_same_run(project):
    checked = project(f'use "missing.cnn"\n{net("conv(3, 33)")}')
    assert [item.code for item in checked.diagnostics] == ["E0131", "E0202"]


@pytest.mark.parametrize(
    ("use", "code", "words"),
    [
        ('use "/etc/hosts.cnn"', "E0326", "absolute"),
        ('use "C:/nets/x.cnn"', "E0326", "absolute"),
        ('use "\\\\\\\\server\\\\x.cnn"', "E0326", "absolute"),
        ('use "../../outside.cnn"', "E0326", "leaves the project"),
        ('use "a/../../../outside.cnn"', "E0326", "leaves the project"),
        ('use "link.cnn"', "E0326", "link to a place outside"),
        ('use "linked/outside.cnn"', "E0326", "link to a place outside"),
        ('use "linked/missing.cnn"', "E0326", "link to a place outside"),
        ('use "..\\\\blocks.cnn"', "E0327", "backslash"),
        ('use "../blocks"', "E0327", "names no .cnn file"),
        ('use ""', "E0327", "names no .cnn file"),
        ('use "../blokcs.cnn"', "E0131", "there is no file blokcs.cnn"),
        ('use "nowhere/blocks.cnn"', "E0131", "there is no file nets/nowhere/blocks.cnn"),
        ('use "folder.cnn"', "E0132", "nets/folder.cnn is a folder"),
        ('use "binary.cnn"', "E0134", "nets/binary.cnn is a binary file"),
        ('use "loop.cnn"', "E0131", "there is no file nets/loop.cnn"),
        ('use "main.cnn/x.cnn"', "E0131", "there is no file nets/main.cnn/x.cnn"),
        (f'use "{"a" * 5000}.cnn"', "E0131", "there is no file nets/aaa"),
        ('use "main.cnn"', "E0328", "a file uses itself"),
        ("use zoo.resnt", "E0330", "no installed plugin provides a file zoo.resnt"),
    ],
)
def test_a_file_that_cannot_be_used(project, tmp_path, use, code, words):
    (tmp_path / "outside.cnn").write_text(BLOCKS)
    nets = tmp_path / "project" / "nets"
    (nets / "link.cnn").symlink_to(tmp_path / "outside.cnn")
    (nets / "linked").symlink_to(tmp_path)
    (nets / "loop.cnn").symlink_to("loop.cnn")
    (nets / "folder.cnn").mkdir()
    (nets / "binary.cnn").write_bytes(b"block\0")
    checked = project(f"{use}\n{net('Unit(4)')}", blocks=BLOCKS)
    (item,) = checked.diagnostics
    assert (item.code, item.span.file, item.span.line) == (code, "nets/main.cnn", 1)
    assert words in item.message
    assert str(tmp_path) not in item.message + str(item.help) + "".join(item.notes)
    with pytest.raises(DiagnosticError, match=code):
        striate.load("nets/main.cnn")


@pytest.mark.parametrize(("use", "near"), [('use "../blokcs.cnn"', "blocks.cnn"), ("use zoo.resnt", "zoo.resnet")])
def test_the_nearest_name_is_proposed(project, use, near):
    assert project(f"{use}\n{net('relu')}", blocks=BLOCKS).diagnostics[0].help == f"did you mean {near}?"


def test_a_link_inside_the_project_may_be_used(project, tmp_path):
    root = tmp_path / "project"
    (root / "nets" / "link.cnn").symlink_to(root / "blocks.cnn")
    checked = project(f'use "link.cnn"\nuse "../blocks.cnn"\n{net("Unit(4)")}', blocks=BLOCKS)
    assert found(checked) == []


def test_without_a_marker_the_files_own_folder_is_the_root(project, tmp_path):
    (tmp_path / "project" / "striate.toml").unlink()
    checked = project(f'use "../blocks.cnn"\n{net("Unit(4)")}', blocks=BLOCKS)
    assert found(checked) == [("E0326", "nets/main.cnn", 1, 5)]


@pytest.mark.parametrize("marker", ["striate.toml", "pyproject.toml", ".git"])
def test_the_nearest_marker_is_the_root(project, tmp_path, marker):
    (tmp_path / "project" / "nets" / marker).touch()
    checked = project(f'use "../blocks.cnn"\n{net("Unit(4)")}', blocks=BLOCKS)
    assert [item.code for item in checked.diagnostics] == ["E0326"]


def test_a_circle_is_named_as_a_chain(project):
    checked = project(
        f'use "a.cnn"\n{net("A")}',
        nets__a='use "b.cnn"\nblock A { relu }\n',
        nets__b='\nuse "a.cnn"\nblock B { relu }\n',
    )
    (item,) = checked.diagnostics
    assert item.message == "files use each other in a circle: nets/a.cnn -> nets/b.cnn -> nets/a.cnn"
    assert (item.span.file, item.span.line) == ("nets/b.cnn", 2)
    assert [label.span.file for label in item.labels] == ["nets/a.cnn"]


def test_a_name_from_two_files_is_an_error_with_both_places(project):
    other = "\nblock Unit { relu }\n"
    (item,) = project(f'use "../blocks.cnn"\nuse "../other.cnn"\n{net("relu")}', blocks=BLOCKS, other=other).diagnostics
    assert (item.code, item.span.file, item.span.line) == ("E0309", "nets/main.cnn", 2)
    assert [(label.span.file, label.span.line) for label in item.labels] == [("blocks.cnn", 1), ("other.cnn", 2)]
    own = project(f'use "../blocks.cnn"\nblock Unit {{ relu }}\n{net("relu")}')
    assert [item.code for item in own.diagnostics] == ["E0309"]
    alias = project(f'use "../blocks.cnn" as relu2\nblock relu2 {{ relu }}\n{net("relu")}')
    assert [item.code for item in alias.diagnostics] == ["E0309"]


def test_a_name_given_twice_in_a_used_file_is_shown_there(project):
    checked = project(f'use "../blocks.cnn"\n{net("Unit(4)")}', blocks=BLOCKS + "block Unit { relu }\n")
    assert found(checked) == [("E0309", "blocks.cnn", 3, 7)]


def test_a_file_used_on_two_ways_is_one_file(project):
    checked = project(
        f'use "a.cnn"\nuse "b.cnn"\n{net("A -> B")}',
        nets__a='use "c.cnn"\nblock A { C }\n',
        nets__b='use "c.cnn"\nblock B { C }\n',
        nets__c="block C { relu }\n",
    )
    assert found(checked) == []


def test_the_number_depth_and_size_of_used_files_is_bounded(project, monkeypatch):
    many = {f"nets__f{number}": f"block B{number} {{ relu }}\n" for number in range(10)}
    main = "".join(f'use "f{number}.cnn"\n' for number in range(10)) + net("relu")
    assert found(project(main, **many)) == []
    monkeypatch.setenv("STRIATE_MAX_FILES", "8")
    assert found(project(main)) == [("E0329", "nets/main.cnn", 9, 1)]
    monkeypatch.setenv("STRIATE_MAX_FILES", "100")
    monkeypatch.setenv("STRIATE_MAX_FILE_SIZE", "400")
    assert [item.code for item in project(main, nets__f3="# " + "x" * 300 + "\nblock B3 { relu }").diagnostics] == [
        "E0329"
    ]


def test_a_long_chain_of_files_ends_with_a_finding(project):
    chain = {f"nets__c{number}": f'use "c{number + 1}.cnn"\nblock B{number} {{ relu }}\n' for number in range(80)}
    checked = project(f'use "c0.cnn"\n{net("relu")}', **chain)
    assert [item.code for item in checked.diagnostics] == ["E0329"]


def test_the_zoo_is_used_like_a_file(project):
    main = "use zoo.resnet as r\nuse zoo.lenet5\nmodel Small = r.ResNet18(classes = 3)\n" + net("r.Basic(3)")
    checked = project(main)
    assert found(checked) == []
    assert list(checked.domains) == ["Small", "Net"]
    assert striate.load("nets/main.cnn", "LeNet5").parameters == 61_706
    assert striate.load("nets/main.cnn", "Small").parameters == 11_178_051
    origins = {node.origin.span.file for node in striate.load("nets/main.cnn", "Small").graph.nodes}
    assert origins == {"striate_plugins/zoo/resnet.cnn"}


def test_every_file_of_the_zoo_and_the_standard_blocks_has_a_record():
    package = Path(striate_plugins.__file__).parent
    names = {f"{folder}.{path.stem}" for folder in ("std", "zoo") for path in (package / folder).glob("*.cnn")}
    assert names == set(HostCatalogue().names(FileRecord))


def test_a_file_without_uses_needs_no_plugins(project):
    project(net("relu"))
    text = (
        "import sys; from striate.checking import check_file; from pathlib import Path\n"
        "assert not check_file(Path('nets/main.cnn')).diagnostics\n"
        "assert not {'pluggy', 'importlib.metadata', 'importlib.resources'} & set(sys.modules), 'slow start'\n"
    )
    subprocess.run([sys.executable, "-c", text], check=True)


def test_recipes_may_be_for_models_of_used_files(project):
    recipe = "{ data = digits(); loss = cross_entropy; optimizer = adam; epochs = 1 }\n"
    checked = project(f"use zoo.lenet5\ntrain LeNet5 {recipe}")
    assert found(checked) == []
    assert list(checked.domains) == ["LeNet5"]
    wrong = project(f"use zoo.lenet5\ntrain LeNet6 {recipe}")
    assert found(wrong) == [("E0310", "nets/main.cnn", 2, 7)]
    assert wrong.diagnostics[0].help == "did you mean LeNet5?"


def test_graph_and_fingerprint_follow_the_used_file(project):
    project(f'use "../blocks.cnn"\n{net("Unit(4)")}', blocks=BLOCKS)
    first = fingerprint(striate.load("nets/main.cnn").graph)
    project(f'use "../blocks.cnn"\n{net("Unit(4)")}', blocks=BLOCKS.replace("relu", "relu   "))
    assert fingerprint(striate.load("nets/main.cnn").graph) == first
    project(f'use "../blocks.cnn"\n{net("Unit(4)")}', blocks=BLOCKS.replace("relu", "tanh"))
    assert fingerprint(striate.load("nets/main.cnn").graph) != first


def test_used_files_are_linted_when_they_are_checked_themselves(project):
    blocks = "block Unit(out) { conv(out, 3) -> bn }\n" + net("Unit(4)", "Alone")
    main = f'use "../blocks.cnn" as b\n{net("b.Unit(4) -> relu -> conv(8, 1) -> bn")}'
    assert found(project(main, blocks=blocks)) == [("W0102", "nets/main.cnn", 2, 54)]
    assert found(check_file(Path("blocks.cnn"))) == [("W0102", "blocks.cnn", 1, 19)]


def test_weights_carry_the_texts_of_all_files(project):
    from striate.cli.recipe_options import load_with_recipe
    from striate.train.description import describe
    from striate.train.subject import assemble

    recipe = "{ data = digits(); loss = cross_entropy; optimizer = adam; epochs = 1 }\n"
    body = "{ input i: 1 x 8 x 8; Unit(4) -> flatten -> dense(10); output y }\n"
    main = f'use "../blocks.cnn"\nmodel Net {body}train Net {recipe}'
    assert found(project(main, blocks=BLOCKS)) == []
    info = describe(assemble(*load_with_recipe(Path("nets/main.cnn"), None, None, {})))
    assert info.text == main
    assert info.files == {"blocks.cnn": BLOCKS}
    assert type(info).from_json(info.to_json()) == info
