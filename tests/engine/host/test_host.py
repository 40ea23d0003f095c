"""The plugin door: records come in checked, broken plugins stay outside, nobody's name is decided by load order."""

from __future__ import annotations

import pytest

from striate.elaborate import elaborate
from striate.host.catalogue import HostCatalogue, NameClashError
from striate.host.plugins import Plugins
from striate.ops.rectifier import RELU
from striate.plugin import Factory, FileRecord, HeadRecord, LossRecord, OpRecord, hookimpl
from striate.project.linking import parse_linked
from striate_dsl.parser import parse
from striate_dsl.source import Source
from tests.engine.stand_ins import Entry, load_plugins, providing


def layer(name):
    return OpRecord(name=name, summary="a", shape=RELU.shape, torch=RELU.torch, onnx=RELU.onnx)


def loss(name):
    return LossRecord(name, "a loss", Factory("math:sqrt"))


def fail():
    raise ImportError("no module named acme_native")


def catalogue(plugins: Plugins) -> HostCatalogue:
    return HostCatalogue(plugins=plugins)


def test_records_are_found_by_kind_and_name_with_their_owner():
    loaded = load_plugins([Entry("acme", providing(striate_layers=[layer("swirl")], striate_losses=[loss("swirl")]))])
    made = catalogue(loaded)
    assert made.layer("swirl").name == "acme.swirl"
    assert made.find(LossRecord, "swirl").summary == "a loss"
    assert made.owner(OpRecord, "swirl") == "acme"
    assert made.find(LossRecord, "nothing") is None
    assert loaded.failures == []


def test_a_plugins_layer_and_head_are_written_like_built_in_ones():
    head = HeadRecord("masks", "One class per pixel", "block M(classes) { conv(classes, 1) }", "m.cnn", ("out",), "seg")
    made = catalogue(load_plugins([Entry("acme", providing(striate_layers=[layer("swirl")], striate_heads=[head]))]))
    text = "block B(act) { act }\nmodel N { input i: 1 x 4 x 4; swirl -> B(swirl); head masks(classes = 3) }"
    built = elaborate(parse(Source("n", text)).file, "N", made)
    assert built.diagnostics == ()
    assert [node.name for node in built.graph.nodes] == ["swirl1", "b1.act1", "head.conv1"]
    assert built.graph.outputs == {"out": "head.conv1"}
    assert built.graph.tasks[0].name == "seg"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (fail, "ImportError: no module named acme_native"),
        (
            providing(striate_losses=[layer("swirl")]),
            "RecordError: striate_losses returned a OpRecord where a LossRecord is due",
        ),
        (providing(striate_losses=[loss("not a name")]), "which is no identifier"),
        (providing(striate_files=[FileRecord("zoo", "a", "p", "a.cnn")]), "which is not like zoo.resnet"),
        (providing(striate_files=[FileRecord("zoo.2", "a", "p", "a.cnn")]), "which is not like zoo.resnet"),
        (providing(striate_files=[FileRecord("a.b", "a", "p", "../a.cnn")]), "no path inside its package"),
        (providing(striate_losses=3), "TypeError"),
        (providing(striate_lossess=[loss("a")]), "PluginValidationError"),
    ],
)
def test_a_broken_plugin_is_set_aside_whole_and_named(make, reason):
    good, bad = Entry("good", providing(striate_losses=[loss("fine")])), Entry("bad", make)
    for order in ([good, bad], [bad, good]):
        loaded = load_plugins(order)
        assert [failure.plugin for failure in loaded.failures] == ["bad"]
        assert reason in loaded.failures[0].reason
        assert list(loaded.of("losses")) == ["fine"]
        assert not loaded.of("layers")


def test_a_hook_that_raises_takes_nothing_in():
    def raising():
        plugin = providing(striate_layers=[layer("swirl")])()
        plugin.striate_losses = hookimpl(lambda context: 1 / 0, specname="striate_losses")
        return plugin

    loaded = load_plugins([Entry("bad", raising)])
    assert loaded.failures[0].reason.startswith("ZeroDivisionError")
    assert not loaded.of("layers")


def test_a_name_of_two_plugins_is_an_error_that_names_both():
    entries = [Entry(name, providing(striate_losses=[loss("same")])) for name in ("one", "two")]
    for order in (entries, entries[::-1]):
        with pytest.raises(NameClashError, match="one and two"):
            catalogue(load_plugins(order)).find(LossRecord, "same")


def test_the_first_party_plugin_comes_in_by_the_same_door():
    made = HostCatalogue()
    assert made.head("segmentation") is not None
    assert made.failures == []
    assert made.owner(LossRecord, "cross_entropy") == "striate-plugins"


def test_plugins_can_be_left_out():
    assert HostCatalogue(plugins=False).find(LossRecord, "cross_entropy") is None


def test_files_of_plugins_are_used_by_name_and_may_use_their_neighbours(tmp_path, monkeypatch):
    package = tmp_path / "acme_nets"
    (package / "zoo").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "zoo" / "net.cnn").write_text('use "../parts.cnn"\nblock Net { Part }\n')
    (package / "parts.cnn").write_text("block Part { relu }\n")
    monkeypatch.syspath_prepend(tmp_path)
    records = [
        FileRecord("acme.net", "a net", "acme_nets", "zoo/net.cnn"),
        FileRecord("acme.lost", "a file that was not packed", "acme_nets", "zoo/lost.cnn"),
    ]
    made = catalogue(load_plugins([Entry("acme", providing(striate_files=records))]))
    text = "use acme.net\nmodel N { input i: 1 x 4 x 4; Net; output y }"
    parsed = parse_linked(Source("n", text), made)
    assert list(parsed.diagnostics) == []
    assert elaborate(parsed.file, "N", made).diagnostics == ()
    (lost,) = parse_linked(Source("n", text.replace("acme.net", "acme.lost")), made).diagnostics
    assert (lost.code, lost.span.line) == ("E0703", 1)
