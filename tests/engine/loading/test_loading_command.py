"""`striate import FILE --onto NETWORK` as it is typed: what it prints, what it writes, and when it writes nothing."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from striate.model import load
from striate.runtime.checkpoint import read_info
from tests.engine.loading.foreign_weights import NAMES, NET, Net, same, trained

IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def outputs(path: str, **parameters: int):
    """What the network computes with a checkpoint."""
    program = load("net.cnn", **parameters).to_torch(weights=path).eval()
    with torch.no_grad():
        return program(IMAGES)


def test_weights_are_renamed_and_compute_the_same(mapped, run):
    module = trained(Net())
    torch.save(module.state_dict(), "torch.pth")
    code, out, err = run("torch.pth", "--onto", "net.cnn", "-o", "net.safetensors")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"torch.pth is a file of torch.save with {len(module.state_dict())} tensors",
        "names of the torch module of these tests",
        "left out: 7 counters of batches (num_batches_tracked), for training only",
        "39 renamed",
        "Net's weights are in net.safetensors: 39 of 39 from torch.pth",
    ]
    with torch.no_grad():
        assert same(module(IMAGES), outputs("net.safetensors")) < 1e-5
    info = read_info(mapped / "net.safetensors")
    assert info is not None
    assert (info.model, info.text, info.arguments) == ("Net", NET, {"classes": "5"})


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {f"module.{name}": item for name, item in state.items()},
        lambda state: {"state_dict": state, "epoch": 3, "arch": "net"},
        lambda state: {"model": {f"module.{name}": item for name, item in state.items()}, "optimizer": {"state": {}}},
        lambda state: {
            "state_dict": {**{f"model.{name}": item for name, item in state.items()}, "loss.weight": torch.ones(5)},
            "pytorch-lightning_version": "2.0",
            "hparams": {"lr": 0.1},
        },
        lambda state: {f"_orig_mod.module.{name}": item for name, item in state.items()},
        lambda state: {
            "state_dict": state,
            "optimizer": {"state": {0: {"exp_avg": torch.zeros(4, 3, 3, 3)}, 1: {"exp_avg": torch.zeros(4)}}},
        },
    ],
    ids=["DataParallel", "state_dict", "model", "Lightning", "compiled", "optimizer"],
)
def test_wrappers_are_looked_through(mapped, run, wrap):
    module = trained(Net())
    torch.save(wrap(dict(module.state_dict())), "torch.pth")
    code, out, err = run("torch.pth", "--onto", "net.cnn", "-o", "net.safetensors", "--format", "json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["complete"]
    assert told["counts"] == {"renamed": 39}
    assert told["under"]
    with torch.no_grad():
        assert same(module(IMAGES), outputs("net.safetensors")) < 1e-5


def test_averaged_weights_are_named_and_chosen_on_demand(mapped, run):
    plain, averaged = trained(Net(), 1), trained(Net(), 2)
    torch.save({"state_dict": plain.state_dict(), "state_dict_ema": averaged.state_dict()}, "torch.pth")
    code, out, _ = run("torch.pth", "--onto", "net.cnn", "-o", "net.safetensors")
    assert code == 0
    assert "other weights that fit are under state_dict_ema: --under" in out
    with torch.no_grad():
        assert same(plain(IMAGES), outputs("net.safetensors")) < 1e-5
    code, out, _ = run("torch.pth", "--onto", "net.cnn", "-o", "net.safetensors", "--under", "state_dict_ema")
    assert code == 0
    with torch.no_grad():
        assert same(averaged(IMAGES), outputs("net.safetensors")) < 1e-5


def test_two_networks_in_one_file_need_a_word(mapped, run):
    state = {f"{part}.{name}": item for part in ("teacher", "student") for name, item in Net().state_dict().items()}
    torch.save(state, "torch.pth")
    code, _, err = run("torch.pth", "--onto", "net.cnn", "-o", "net.safetensors")
    assert code == 1
    assert "error[E0663]: torch.pth holds 2 sets of weights that fit: under teacher, student" in err
    assert not (mapped / "net.safetensors").exists()
    assert run("torch.pth", "--onto", "net.cnn", "-o", "net.safetensors", "--under", "student")[0] == 0
    code, _, err = run("torch.pth", "--onto", "net.cnn", "--under", "nobody")
    assert "error[E0663]: torch.pth has no tensors under nobody" in err


def test_another_number_of_classes_is_an_error_and_partly_taken_on_demand(mapped, run):
    torch.save(trained(Net(7)).state_dict(), "torch.pth")
    arguments = ["torch.pth", "--onto", "net.cnn", "-o", "net.safetensors"]
    code, out, err = run(*arguments)
    assert code == 1
    assert "37 renamed, 2 differs" in out
    assert "  differs  dense1.weight   fc.weight    5 x 8 / 7 x 8" in out.splitlines()
    assert "error[E0664]: the weights in torch.pth do not fit Net: 2 of another size" in err
    assert "pass --partial to let dense1 start anew" in err
    assert not (mapped / "net.safetensors").exists()
    code, out, err = run(*arguments, "--partial")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "not trained, initialised from seed 0: dense1"
    assert outputs("net.safetensors").shape == (2, 5)
    code, out, _ = run(*arguments, "--set", "classes=7")
    assert (code, "39 renamed" in out) == (0, True)


def test_missing_and_unexpected_tensors_are_listed(mapped, run):
    state = trained(Net()).state_dict()
    del state["body.1.conv2.weight"]
    state["extra.weight"] = torch.ones(3)
    torch.save(state, "torch.pth")
    code, out, err = run("torch.pth", "--onto", "net.cnn", "-o", "net.safetensors", "--json")
    told = json.loads(out)
    assert (code, told["written"], told["complete"]) == (1, None, False)
    rows = {row["status"]: row for row in told["tensors"]}
    assert (rows["missing"]["weight"], rows["missing"]["expected"]) == ("unit1.1.conv2.weight", "body.1.conv2.weight")
    assert (rows["unexpected"]["key"], rows["unexpected"]["stored"]) == ("extra.weight", [3])
    assert "1 missing, 1 unexpected" in err
    assert not (mapped / "net.safetensors").exists()


def test_older_names_and_spare_tensors_are_known(mapped, run):
    module = trained(Net())
    state = {
        name.replace("norm1.", "norm.1.").replace("norm2.", "norm.2."): item
        for name, item in module.state_dict().items()
    }
    state["aux.fc.weight"] = torch.ones(5, 4)
    torch.save(state, "torch.pth")
    code, out, _ = run("torch.pth", "--onto", "net.cnn", "-o", "net.safetensors")
    assert code == 0
    assert "left out: 1 tensors that this network has no use for (aux)" in out
    with torch.no_grad():
        assert same(module(IMAGES), outputs("net.safetensors")) < 1e-5


def test_without_a_map_order_and_sizes_decide(folder, run):
    module = trained(Net())
    torch.save(module.state_dict(), "torch.pth")
    code, out, _ = run("torch.pth", "--onto", "net.cnn", "-o", "net.safetensors")
    assert code == 0
    assert "its names are not known: matched by order, kinds and sizes, which leave one answer" in out
    with torch.no_grad():
        assert same(module(IMAGES), outputs("net.safetensors")) < 1e-5


def test_a_map_of_ones_own(folder, run):
    module = trained(Net())
    save_file(module.state_dict(), "torch.safetensors")
    (folder / "map.toml").write_text(NAMES)
    code, out, _ = run("torch.safetensors", "--onto", "net.cnn", "-o", "net.safetensors", "--names", "map.toml")
    assert (code, "39 renamed" in out) == (0, True)
    with torch.no_grad():
        assert same(module(IMAGES), outputs("net.safetensors")) < 1e-5


def test_a_checkpoint_of_our_own_fits_by_its_own_names(folder, run):
    program = load("net.cnn").to_torch(seed=4)
    torch.save(program.state_dict(), "ours.pth")
    code, out, _ = run("ours.pth", "--onto", "net.cnn", "-o", "net.safetensors")
    assert (code, "39 matched" in out) == (0, True)
    with torch.no_grad():
        assert torch.equal(program.eval()(IMAGES), outputs("net.safetensors"))


def test_the_model_that_fits_is_found(folder, run):
    text = NET.replace("conv(4, 3, pad = 1) -> relu", "conv(4, 3, pad = 1) -> relu\n  if deep { Unit(4) }")
    text = text.replace("classes = 5", "classes = 5, deep = false") + "\nmodel Deep = Net(deep = true)\n"
    (folder / "net.cnn").write_text(text)
    torch.save(load("net.cnn", "Deep").to_torch().state_dict(), "ours.pth")
    code, out, _ = run("ours.pth", "--onto", "net.cnn", "-o", "net.safetensors")
    assert code == 0
    assert out.splitlines()[-1].startswith("Deep's weights are in net.safetensors")
    torch.save(Net(3).state_dict(), "other.pth")
    code, _, err = run("other.pth", "--onto", "net.cnn", "-o", "net.safetensors")
    assert (code, "E0310" in err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["torch.pth"], "torch.pth holds weights without a network: name the network, e.g. --onto zoo.resnet"),
        (["net.onnx", "--partial"], "--partial goes with --onto"),
        (["net.onnx", "--model", "Net"], "--model goes with --onto"),
        (["torch.pth", "--onto", "net.cnn", "-o", "net.cnn"], "with --onto, -o names the file of the weights"),
        (["torch.safetensors", "--onto", "net.cnn"], "torch.safetensors is the file that is read"),
        (["torch.pth", "--onto", "net.cnn", "--no-verify"], "--no-verify goes with a FILE that can be run"),
    ],
)
def test_wrong_usage(mapped, run, arguments, message):
    torch.save(Net().state_dict(), "torch.pth")
    save_file(Net().state_dict(), "torch.safetensors")
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("onto", ["zoo.resnett", "missing.cnn", "zoo.", "a.b"])
def test_a_network_that_is_not_there(mapped, run, onto):
    torch.save(Net().state_dict(), "torch.pth")
    code, _, err = run("torch.pth", "--onto", onto)
    assert code == 1
    assert "error[E0" in err


def test_a_full_disk_leaves_what_was_there(mapped, run, monkeypatch):
    torch.save(trained(Net()).state_dict(), "torch.pth")
    (mapped / "net.safetensors").write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    code, _, err = run("torch.pth", "--onto", "net.cnn", "-o", "net.safetensors")
    assert (code, "E0505" in err) == (1, True)
    assert (mapped / "net.safetensors").read_bytes() == b"old"
    assert not list(mapped.glob(".*.part"))


@pytest.mark.parametrize("columns", [40, 60, 100, 160])
def test_the_table_fits_the_terminal(mapped, run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    torch.save(trained(Net(7)).state_dict(), "torch.pth")
    _, out, _ = run("torch.pth", "--onto", "net.cnn", "-o", "net.safetensors", "--all")
    table = [line for line in out.splitlines() if line.startswith("  ")]
    assert len(table) == 40
    assert max(map(len, table)) <= max(columns, 60)


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (lambda tensor: tensor.to(torch.int8), "cannot be a weight: its numbers are of the type int8"),
        (lambda tensor: tensor / 0, "numbers that are not finite"),
        (lambda tensor: tensor.double() + 1e300, "numbers that are not finite"),
    ],
    ids=["whole", "infinite", "too large for float32"],
)
@pytest.mark.parametrize("partial", [[], ["--partial"]], ids=["strict", "partial"])
def test_numbers_that_cannot_be_weights_are_refused(mapped, run, spoilt, words, partial):
    state = trained(Net()).state_dict()
    state["fc.weight"] = spoilt(state["fc.weight"])
    torch.save(state, "torch.pth")
    code, _, err = run("torch.pth", "--onto", "net.cnn", "-o", "net.safetensors", *partial)
    assert (code, "error[E0668]: fc.weight in torch.pth" in err, words in err) == (1, True, True), err
    assert not (mapped / "net.safetensors").exists()


def test_a_checkpoint_goes_on_to_onnx(mapped, run):
    """What was written is a checkpoint like any other: it carries the network's text and fits its graph."""
    torch.save(trained(Net()).state_dict(), "torch.pth")
    assert run("torch.pth", "--onto", "net.cnn", "-o", "net.safetensors")[0] == 0
    report = load("net.cnn").export_onnx("net.onnx", weights="net.safetensors")
    assert report.verification is not None
    assert report.verification.difference.relative < 1e-5


def test_a_network_of_another_file_is_described_with_it(folder, run):
    (folder / "mine.cnn").write_text('use "net.cnn"\n\nmodel Mine = Net(classes = 7)\n')
    torch.save(load("mine.cnn").to_torch().state_dict(), "ours.pth")
    code, out, _ = run("ours.pth", "--onto", "mine.cnn", "-o", "mine.safetensors")
    assert (code, "39 matched" in out) == (0, True)
    info = read_info(folder / "mine.safetensors")
    assert info is not None
    assert (info.model, list(info.files)) == ("Mine", ["net.cnn"])
