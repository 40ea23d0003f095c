"""Points that do not work are found by `striate check`, with the settings that it takes for them."""

from __future__ import annotations

import pytest

from striate.checking import check_source
from striate.model import load_source
from striate_dsl.diagnostics import DiagnosticError, Severity
from striate_dsl.source import Source

NET = """model Net(width = 8, groups = 1, depth = 1, kernel = 3) {
  input image: 1 x 16 x 16
  conv(8, 1)
  repeat depth { conv(width, kernel, groups = groups) -> relu -> maxpool(2) }
  flatten -> dense(10)
  output logits
}
train Net { data = digits(); loss = cross_entropy; optimizer = sgd(lr = 0.1); epochs = 1; metrics = [accuracy] }
"""


def findings(entries, text=NET):
    found = check_source(Source("net.cnn", f"{text}search Net {{\n  {entries}\n}}\n")).diagnostics
    return [item for item in found if item.severity is Severity.ERROR]


@pytest.mark.parametrize(
    "entries",
    [
        "model.width = [4, 8, 12]",
        "model.depth = 1..3",
        "train.optimizer = [sgd(lr = 0.1), adam]",
        "train.optimizer.lr = log(1e-5, 1)\n  train.batch = int(8, 64)\n  model.kernel = [1, 3, 5]",
        "train.optimizer = [sgd(lr = 0.1), adam]\n  train.optimizer.lr = log(1e-5, 1)",
        "train.schedule = [cosine, step(every = 3)]\n  train.loss.label_smoothing = real(0, 0.3)",
    ],
)
def test_points_that_work(entries):
    assert findings(entries) == []


@pytest.mark.parametrize(
    ("entries", "message", "inner"),
    [
        ("model.width = int(0, 8)", "with model.width = 0: conv: channels must be", "E0211"),
        ("model.groups = [1, 2, 3]", "with model.groups = 3: conv: 8 input channels cannot be split", "E0205"),
        ("model.depth = int(1, 4)", "with model.depth = 3: conv: kernel 3 is larger than the height 2", "E0202"),
        (
            "model.depth = int(1, 3)\n  model.kernel = [3, 7]\n  model.width = [4, 8, 16, 32]",
            "with model.depth = 2, model.kernel = 7: conv: kernel 7 is larger",
            "E0202",
        ),
        ("train.optimizer.lr = real(-1, 1)", "with train.optimizer.lr = -1: sgd: lr must be", "E0403"),
        ("train.optimizer.speed = [1, 2]", "with train.optimizer.speed = 1: sgd has no argument speed", "E0402"),
        (
            "train.optimizer = [sgd(lr = 0.1), adam]\n  train.optimizer.momentum = [0.5, 0.9]",
            "with train.optimizer.momentum = 0.5: adam has no argument momentum",
            "E0402",
        ),
        ("train.batch = [32, half]", "with train.batch = half: batch must be", "E0403"),
        (
            "train.size = [(16, 16), (20, 20)]",
            "with train.size = (20, 20): Net does not take images of 20 x 20",
            "E0507",
        ),
    ],
)
def test_points_that_do_not(entries, message, inner):
    found = findings(entries)
    assert [item.code for item in found][:1] == ["E0412"]
    wanted = [item for item in found if message in item.message]
    assert wanted, [item.message for item in found]
    assert wanted[0].notes[0].startswith(f"this is {inner}")
    assert wanted[0].help
    assert wanted[0].span.line >= NET.count("\n") + 2


def test_a_mistake_of_one_kind_is_told_once():
    assert len(findings("model.groups = int(3, 40)\n  model.width = int(1, 40)")) <= 2


def test_what_is_told_is_what_loading_says():
    (found,) = findings("model.width = [8, 0]")
    with pytest.raises(DiagnosticError) as caught:
        load_source(Source("net.cnn", NET), "Net", {"width": "0"})
    assert found.message == f"with model.width = 0: {caught.value.diagnostics[0].message}"


def test_a_space_may_suit_one_recipe_of_several():
    text = NET + NET[NET.index("train Net") :].replace("train Net", "train Net as other").replace(
        "sgd(lr = 0.1)", "adam"
    )
    assert findings("train.optimizer.beta1 = [0.8, 0.9]", text) == []
    assert findings("train.optimizer.momentum = [0.8, 0.9]", text) == []
    assert [item.code for item in findings("train.optimizer.speed = [0.8, 0.9]", text)] == ["E0412"]


def test_a_search_for_every_model_is_checked_with_each():
    text = NET + "model Small = Net(width = 4)\ntrain Small { data = digits(); loss = cross_entropy; "
    text += "optimizer = adam; epochs = 1 }\nsearch { model.groups = [1, 8] }\n"
    found = [item.message for item in check_source(Source("net.cnn", text)).diagnostics]
    assert [message for message in found if "4 output channels cannot be split into 8 groups" in message]


def test_checking_imports_nothing_heavy():
    import subprocess
    import sys

    script = (
        "import sys\nfrom striate.checking import check_source\nfrom striate_dsl.source import Source\n"
        f"text = {NET!r} + 'search Net {{ model.width = [4, 8]; train.batch = [8, 16] }}'\n"
        "assert not check_source(Source('net.cnn', text)).diagnostics\n"
        "print(sorted({'torch', 'onnx', 'numpy', 'networkx', 'lightning', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_mistakes_of_model_and_recipe_are_not_told_again_for_every_point():
    for old, new, code in (
        ("conv(8, 1)", "conv(0, 1)", "E0211"),
        ("sgd(lr = 0.1)", "sgd(lr = -1)", "E0403"),
        ("conv(8, 1)", "conv(8 1)", "E0108"),
        ("optimizer = sgd(lr = 0.1)", "optimizer = sgd(lr = 0.1", "E0106"),
    ):
        found = findings("model.width = [8, 16]\n  train.batch = [8, 16]", NET.replace(old, new))
        assert code in [item.code for item in found] or code == "E0106"
        assert not [item for item in found if item.code in ("E0412", "E0413")]


def test_keys_are_checked_beside_other_mistakes():
    found = findings("model.widht = [8, 16]", NET.replace("sgd(lr = 0.1)", "sgd(lr = -1)"))
    assert sorted(item.code for item in found) == ["E0403", "E0409"]
