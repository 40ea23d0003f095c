"""Two plugins with one name: an error that names both and the ways out, whichever is found first, in every kind."""

from __future__ import annotations

from itertools import permutations

import pytest

from striate.checking import check_source
from striate.elaborate import elaborate
from striate.expanding import expand_source
from striate.graph import fingerprint
from striate.host.catalogue import HostCatalogue, NameClashError
from striate.host.kinds import KINDS
from striate.ops.arguments import Argument, Real
from striate.ops.rectifier import RELU
from striate.plugin import (
    AugmentationRecord,
    AverageRecord,
    BackendRecord,
    CommandRecord,
    DataRecord,
    ExplainerRecord,
    ExporterRecord,
    Factory,
    FileRecord,
    HeadRecord,
    ImporterRecord,
    InitializerRecord,
    LossRecord,
    MetricRecord,
    OpRecord,
    OptimizerRecord,
    PassRecord,
    RegularizerRecord,
    ScheduleRecord,
    TaskRecord,
    WrapperRecord,
)
from striate.project.linking import parse_linked
from striate_dsl.formatter import format_source
from striate_dsl.source import Source
from tests.engine.stand_ins import Entry, load_plugins, providing


def layer(name):
    return OpRecord(name=name, summary="a", shape=RELU.shape, torch=RELU.torch, onnx=RELU.onnx)


def head(name):
    return HeadRecord(name, "a", "block M(classes) { conv(classes, 1) }", "m.cnn", ("scores",), "segmentation")


RECORDS = {
    "layers": layer,
    "files": lambda name: FileRecord(f"shared.{name}", "a", "acme_nets", "net.cnn"),
    "heads": head,
    "tasks": lambda name: TaskRecord(name, "a", Factory("math:sqrt")),
    "data_sets": lambda name: DataRecord(name, "a", Factory("math:sqrt")),
    "losses": lambda name: LossRecord(name, "a", Factory("math:sqrt")),
    "optimizers": lambda name: OptimizerRecord(name, "a", Factory("math:sqrt")),
    "schedules": lambda name: ScheduleRecord(name, "a", Factory("math:sqrt")),
    "metrics": lambda name: MetricRecord(name, "a", Factory("math:sqrt")),
    "initializers": lambda name: InitializerRecord(name, "a", Factory("math:sqrt")),
    "regularizers": lambda name: RegularizerRecord(name, "a", Factory("math:sqrt")),
    "augmentations": lambda name: AugmentationRecord(name, "a", Factory("math:sqrt")),
    "wrappers": lambda name: WrapperRecord(name, "a", Factory("math:sqrt")),
    "averages": lambda name: AverageRecord(name, "a", Factory("math:sqrt")),
    "passes": lambda name: PassRecord(name, "a", Factory("math:sqrt")),
    "backends": lambda name: BackendRecord(name, "a", Factory("math:sqrt")),
    "exporters": lambda name: ExporterRecord(name, "a", Factory("math:sqrt"), "A format", ".a"),
    "importers": lambda name: ImporterRecord(name, "a", Factory("math:sqrt"), (".a",)),
    "explainers": lambda name: ExplainerRecord(name, "a", Factory("math:sqrt")),
    "commands": lambda name: CommandRecord(name, "a", Factory("math:sqrt")),
}
"""A record of every kind by its name."""

NET = "model N {\n  input i: 1 x 4 x 4\n  conv(3, 1)\n  §\n  output y\n}\n"


def entry(owner, **records):
    return Entry(owner, providing(**{f"striate_{kind}": made for kind, made in records.items()}))


def catalogues(*entries):
    """Yield a catalogue per order in which the plugins may be found."""
    for order in permutations(entries):
        yield HostCatalogue(plugins=load_plugins(order))


def swirls(*owners):
    return [entry(owner, layers=[layer("swirl")]) for owner in owners]


def built(text, made):
    parsed = parse_linked(Source("n.cnn", text), made)
    assert list(parsed.diagnostics) == []
    done = elaborate(parsed.file, "N", made)
    assert done.diagnostics == ()
    return done.graph


def found(text, made):
    parsed = parse_linked(Source("n.cnn", text), made)
    return [*parsed.diagnostics, *elaborate(parsed.file or parsed.mended, "N", made).diagnostics]


def test_there_is_a_record_of_every_kind():
    missing = {kind.plural for kind in KINDS} - RECORDS.keys()
    assert not missing, f"add a record to RECORDS, so that clashes among {missing} are tested"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_a_name_of_two_plugins_is_an_error_in_every_kind_and_order(kind):
    record = RECORDS[kind.plural]("same")
    said = set()
    for made in catalogues(*(entry(owner, **{kind.plural: [record]}) for owner in ("one", "two-b"))):
        with pytest.raises(NameClashError) as caught:
            made.find(kind.record, record.name)
        (finding,) = caught.value.diagnostics
        said.add((finding.code, finding.message, finding.help))
        for owner in ("one", "two_b"):
            assert made.find(kind.record, f"{owner}.{record.name}") is not None
            assert made.owner(kind.record, f"{owner}.{record.name}") == owner.replace("_", "-")
        assert made.owner(kind.record, record.name) is None
    ((code, message, help),) = said
    assert code == "E0702"
    assert message == f"{record.name} is provided by one and two-b"
    for way in (f"one.{record.name} or two_b.{record.name}", f"use one.{record.name} as one_same", "disable two-b"):
        assert way in help


def test_a_clash_is_told_where_the_name_stands_and_the_rest_of_the_file_is_checked_too():
    (made, *_) = catalogues(*swirls("one", "two"))
    findings = found(NET.replace("§", "swirl -> no_such_layer"), made)
    assert [(item.code, item.span.text) for item in findings] == [
        ("E0702", "swirl"),
        ("E0301", "no_such_layer"),
    ]


def test_a_clashing_layer_may_be_named_like_a_choice():
    (made, *_) = catalogues(*(entry(owner, layers=[layer("half")]) for owner in ("one", "two")))
    assert built(NET.replace("§", "maxpool(3, pad = half)"), made).nodes[-1].op == "maxpool"


@pytest.mark.parametrize(
    "text",
    [
        NET.replace("§", "acme.swirl"),
        "use acme.swirl as turned\n" + NET.replace("§", "turned"),
        "use acme.swirl\n" + NET.replace("§", "swirl"),
    ],
    ids=["qualified", "renamed", "brought in"],
)
def test_a_layer_keeps_its_identity_however_it_is_written(text):
    (alone,) = catalogues(*swirls("acme"))
    plain = built(NET.replace("§", "swirl"), alone)
    for made in catalogues(*swirls("acme", "other")):
        graph = built(text, made)
        assert [node.op for node in graph.nodes] == ["conv", "acme.swirl"]
        assert [node.name for node in graph.nodes] == ["conv1", "swirl1"]
        assert graph.weights.keys() == plain.weights.keys()
        assert fingerprint(graph) == fingerprint(plain)
        assert made.lookup("acme.swirl").shape is RELU.shape


def test_renamed_layers_are_values_too_and_count_with_those_of_the_same_name():
    (made, *_) = catalogues(*swirls("one", "two"))
    text = (
        "use one.swirl as first\nuse two.swirl as second\n"
        "block B(act = second) { act -> first -> second }\n" + NET.replace("§", "B(act = first) -> B")
    )
    graph = built(text, made)
    assert [(node.name, node.op) for node in graph.nodes[1:]] == [
        ("b1.act1", "one.swirl"),
        ("b1.swirl1", "one.swirl"),
        ("b1.swirl2", "two.swirl"),
        ("b2.act1", "two.swirl"),
        ("b2.swirl1", "one.swirl"),
        ("b2.swirl2", "two.swirl"),
    ]


def test_a_renamed_layer_of_a_built_in_ones_name_stands_beside_it():
    (made,) = catalogues(entry("vision", layers=[layer("conv")]))
    text = "use vision.conv as vconv\n" + NET.replace("§", "vconv -> conv(2, 1)")
    graph = built(text, made)
    assert [(node.name, node.op) for node in graph.nodes] == [
        ("conv1", "conv"),
        ("conv2", "vision.conv"),
        ("conv3", "conv"),
    ]
    assert built(NET.replace("§", "conv(2, 1)"), made).nodes[-1].op == "conv", (
        "nobody takes the name of a built-in layer"
    )


def test_a_file_sees_its_own_names_only():
    (made,) = catalogues(*swirls("acme"))
    text = "use acme.swirl as turned\nblock Part { turned }\n"
    used = {"part.cnn": text, "n.cnn": 'use "part.cnn"\n' + NET.replace("§", "Part -> turned")}

    class Texts:
        def read(self, shelf, path):
            return Source(str(path), used[str(path)])

        def parse(self, source, allowance=None):
            from striate_dsl.parser import parse

            return parse(source, allowance)

    parsed = parse_linked(Source("n.cnn", used["n.cnn"]), made, Texts())
    done = elaborate(parsed.file, "N", made)
    assert [(item.code, item.span.text, item.span.file) for item in done.diagnostics] == [("E0301", "turned", "n.cnn")]


@pytest.mark.parametrize(
    ("head", "code", "said"),
    [
        ("use acme.swril as s\n", "E0330", "plugin acme provides no swril"),
        ("use acme.swirl as s\nuse acme.other as s\n", "E0309", "s is defined twice"),
        ("block s { relu }\nuse acme.swirl as s\n", "E0309", "s is defined twice"),
        ("use zoo.swirl as s\n", "E0330", "no installed plugin provides a file zoo.swirl"),
    ],
)
def test_what_a_use_statement_cannot_bring_in(head, code, said):
    (made,) = catalogues(entry("acme", layers=[layer("swirl"), layer("other")]))
    (finding,) = found(head + NET.replace("§", "relu"), made)
    assert (finding.code, finding.message) == (code, said)
    if "swril" in head:
        assert finding.fixes[0].edits[0].replacement == "acme.swirl"


def test_the_same_thing_may_be_named_twice():
    (made,) = catalogues(*swirls("acme"))
    text = "use acme.swirl as s\nuse acme.swirl as s\nuse acme.swirl as t\n" + NET.replace("§", "s -> t")
    assert [node.name for node in built(text, made).nodes] == ["conv1", "swirl1", "swirl2"]


def test_what_is_no_layer_cannot_be_a_step():
    (made,) = catalogues(entry("acme", losses=[RECORDS["losses"]("focal")]))
    (finding,) = found("use acme.focal as focal_loss\n" + NET.replace("§", "focal_loss"), made)
    assert (finding.code, finding.message) == ("E0306", "focal_loss is acme.focal, which is no layer")


@pytest.mark.parametrize("owner", ["acme", "other"])
def test_a_file_and_another_thing_of_one_name_is_an_error_with_both_ways_out(owner):
    file = FileRecord("acme.swirl", "a", "acme_nets", "net.cnn")
    entries = {"acme": {"layers": [layer("swirl")]}, "other": {"layers": [layer("unlike")]}}
    entries[owner]["files"] = [file]
    for made in catalogues(*(entry(name, **records) for name, records in entries.items())):
        (finding,) = found("use acme.swirl as s\n" + NET.replace("§", "relu"), made)
        assert (finding.code, finding.message) == ("E0702", f"acme.swirl is a file of {owner}, and a layer of acme")
        assert finding.help == f"the file: use {owner}.acme.swirl; the layer: write acme.swirl where it is needed"
        assert made.find(FileRecord, f"{owner}.acme.swirl") is file
        assert built(NET.replace("§", "acme.swirl"), made).nodes[-1].op == "acme.swirl"


def test_a_plugins_file_named_like_another_plugins_own_is_a_clash():
    mine = FileRecord("nets.small", "a", "acme_nets", "net.cnn")
    theirs = FileRecord("acme.nets.small", "a", "other_nets", "net.cnn")
    for made in catalogues(entry("acme", files=[mine]), entry("other", files=[theirs])):
        with pytest.raises(NameClashError) as caught:
            made.find(FileRecord, "acme.nets.small")
        assert caught.value.ways == {"acme": "nets.small", "other": "other.acme.nets.small"}
        assert made.find(FileRecord, "nets.small") is mine
        assert made.find(FileRecord, "other.acme.nets.small") is theirs


def test_a_stranger_with_our_names_takes_nothing_away_from_what_does_not_name_them():
    theirs = entry("acme", **{kind: [make("x")] for kind, make in RECORDS.items() if kind not in ("files", "tasks")})
    tasks = entry("evil", tasks=[RECORDS["tasks"]("segmentation")], losses=[RECORDS["losses"]("cross_entropy")])
    plugins = [*_first_party(), *load_plugins([theirs, tasks]).installed]
    for order in permutations(plugins):
        made = HostCatalogue(plugins=host_plugins(order))
        assert made.identified(TaskRecord, "segmentation").decode.target.startswith("striate_plugins.")
        assert made.head("segmentation").task == "segmentation"
        with pytest.raises(NameClashError, match="evil and striate-plugins"):
            made.find(LossRecord, "cross_entropy")
        assert made.find(LossRecord, "striate_plugins.cross_entropy").name == "cross_entropy"
        assert made.find(LossRecord, "evil.cross_entropy").name == "evil.cross_entropy"


def test_a_plugins_own_task_goes_with_its_head():
    records = {"tasks": [RECORDS["tasks"]("segmentation")], "heads": [head("masks")]}
    for made in catalogues(entry("acme", **records), entry("other", tasks=[RECORDS["tasks"]("segmentation")])):
        assert made.head("masks").task == "acme.segmentation"
        assert made.identified(TaskRecord, "acme.segmentation") is not None


def test_names_that_are_written_alike_are_no_names():
    for made in catalogues(*swirls("a-b", "a_b", "fine")):
        assert sorted(failure.plugin for failure in made.plugins.failures) == ["a-b", "a_b"]
        assert "both bring a plugin that names are written a_b.… for" in made.plugins.failures[0].reason
        assert made.layer("swirl").name == "fine.swirl"


def test_nobody_passes_for_striates_own_plugin():
    fake = Entry("striate-plugins", providing(striate_losses=[RECORDS["losses"]("cross_entropy")]))
    for order in permutations([*_first_party(), *load_plugins([fake]).installed]):
        made = HostCatalogue(plugins=host_plugins(order))
        assert made.find(LossRecord, "cross_entropy").factory.target != "math:sqrt"
        assert [failure.reason for failure in made.plugins.failures] == [
            "striate_plugins is what striate's own plugin is called"
        ]


def _first_party():
    from striate.host.installed import find_plugins, is_own

    return [plugin for plugin in find_plugins() if is_own(plugin)]


def host_plugins(installed):
    from striate.host.plugins import Plugins
    from striate.host.policy import Policy

    return Plugins(installed, Policy())


RECIPE = """train N {
  data = acme_data()
  loss = §
  optimizer = stepping
  metrics = [kappa]
  epochs = 1
}
"""


@pytest.mark.parametrize(
    ("use", "loss"),
    [("", "acme.focal(gamma = 3)"), ("use acme.focal as focal_loss\n", "focal_loss(gamma = 3)")],
)
def test_recipes_take_renamed_and_qualified_names(use, loss):
    from striate.train.recipe import read_recipe
    from striate.train.sections import train_sections

    focal = LossRecord("focal", "a", Factory("math:sqrt"), (Argument("gamma", Real(), "g", 2.0),))
    rest = {"data_sets": [RECORDS["data_sets"]("acme_data")], "optimizers": [RECORDS["optimizers"]("stepping")]}
    (made, *_) = catalogues(
        entry("acme", losses=[focal], metrics=[RECORDS["metrics"]("kappa")], **rest), entry("other", losses=[focal])
    )
    text = use + NET.replace("§", "relu") + RECIPE.replace("§", loss)
    parsed = parse_linked(Source("n.cnn", text), made)
    assert list(parsed.diagnostics) == []
    recipe = read_recipe(parsed.file, train_sections(parsed.file)[0], "N", made)
    assert recipe.settings()["loss"] == "acme.focal(gamma = 3.0)"
    assert recipe.settings()["metrics"] == "[acme.kappa]"
    assert [part.owner for part in recipe.parts] == ["acme"] * 4
    clash = parse_linked(Source("n.cnn", NET.replace("§", "relu") + RECIPE.replace("§", "focal")), made).file
    from striate.train.recipe import check_recipes

    (finding,) = check_recipes(clash, made)
    assert (finding.code, finding.span.text) == ("E0702", "focal")


def test_heads_take_renamed_and_qualified_names():
    for made in catalogues(*(entry(owner, heads=[head("masks")]) for owner in ("one", "two"))):
        for use, name in (("", "two.masks"), ("use two.masks as mine\n", "mine")):
            text = use + NET.replace("§\n  output y", f"head {name}(classes = 2)")
            assert built(text, made).outputs == {"scores": "head.conv1"}
        (finding,) = found(NET.replace("§\n  output y", "head masks(classes = 2)"), made)
        assert (finding.code, finding.span.text) == ("E0702", "masks")


def test_an_expansion_writes_whole_names(monkeypatch):
    (made, *_) = catalogues(*(entry(o, layers=[layer("swirl")], heads=[head("masks")]) for o in ("one", "two")))
    text = "use two.swirl as turned\nuse two.masks as mine\n" + NET.replace(
        "§\n  output y", "turned\nhead mine(classes = 2)"
    )
    monkeypatch.setattr("striate.expanding.HostCatalogue", lambda: made)
    expanded = expand_source(Source("n.cnn", text), "N").text
    assert "two.swirl as swirl1" in expanded
    assert "head two.masks(classes = 2)" in expanded
    assert "use " not in expanded
    assert fingerprint(built(expanded, made)) == fingerprint(built(text, made))


def test_an_expansion_writes_whole_names_in_recipes_and_contracts_too(monkeypatch):
    focal = LossRecord("focal", "a", Factory("math:sqrt"), (Argument("gamma", Real(), "g", 2.0),))
    rest = {"data_sets": [RECORDS["data_sets"]("acme_data")], "optimizers": [RECORDS["optimizers"]("stepping")]}
    further = {"metrics": [RECORDS["metrics"]("kappa")], "passes": [RECORDS["passes"]("fold")]}
    (made,) = catalogues(entry("acme", losses=[focal], layers=[layer("swirl")], **rest, **further))
    monkeypatch.setattr("striate.expanding.HostCatalogue", lambda: made)
    text = (
        "use acme.focal as hard\nuse acme.kappa as agreement\nuse acme.stepping\nuse acme.fold as folded\n"
        + NET.replace("§", "relu")
        + RECIPE.replace("§", "hard(gamma = 3)").replace("[kappa]", "[agreement]")
        + "export N { passes = [folded] }\n"
    )
    expanded = expand_source(Source("n.cnn", text), "N").text
    for line in ("loss = acme.focal(gamma = 3)", "metrics = [acme.kappa]", "optimizer = acme.stepping"):
        assert line in expanded
    assert "passes = [acme.fold]" in expanded
    assert "data = acme_data()" in expanded, "and what the file has no name for stays as it is"
    assert list(parse_linked(Source("e.cnn", expanded), made).diagnostics) == []


def test_the_formatter_keeps_the_statement():
    text = "use   acme . swirl   as turned\nuse acme.focal\n" + NET.replace("§", "turned")
    assert format_source(Source("n.cnn", text)).text.startswith("use acme.swirl as turned\nuse acme.focal\n")


def test_a_name_that_nobody_uses_is_linted(monkeypatch):
    (made,) = catalogues(entry("acme", layers=[layer("swirl")], losses=[RECORDS["losses"]("focal")]))
    monkeypatch.setattr("striate.checking.HostCatalogue", lambda: made)
    text = "use acme.swirl as turned\nuse acme.focal as lost\nuse acme.swirl as _spared\n" + NET.replace("§", "turned")
    (finding,) = check_source(Source("n.cnn", text)).diagnostics
    assert (finding.code, finding.message, finding.span.text) == ("W0109", "lost is never used", "lost")
    assert [edit.span.text for edit in finding.fixes[0].edits] == ["use acme.focal as lost\n"]
