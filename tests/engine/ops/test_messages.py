"""What a refusal says: the message, the code, the place, the formula with its numbers, and a repair that works."""

from __future__ import annotations

from typing import Any

import pytest

from striate.dims import symbol
from striate.ops import BUILTIN, ArgumentError, LayerError, Problem
from tests.engine.ops.configurations import infer


def refusal(name: str, arguments: dict[str, Any], *shapes: tuple[Any, ...]) -> Problem:
    with pytest.raises(LayerError) as error:
        infer(BUILTIN[name], arguments, shapes)
    return error.value.problem


def test_kernel_larger_than_the_image():
    problem = refusal("conv", {"channels": 32, "kernel": 11}, (32, 8, 8))
    assert problem.message == "kernel 11 is larger than the height 8 with padding 0 + 0"
    assert problem.code == "E0202"
    assert problem.argument == "kernel"
    assert problem.notes == ("height: 8 - 11 + 1 = -2",)
    assert problem.help == "pad = 2 is the least that fits, or use a kernel of at most 8"


def test_dilated_kernel_larger_than_the_image():
    problem = refusal("conv", {"channels": 3, "kernel": (1, 3), "dilation": 4, "pad": (1, 0, 0, 0)}, (3, 8, 8))
    assert problem.message == "kernel 3 (dilated to 9) is larger than the width 8 with padding 0 + 0"
    assert problem.help == "pad = (1, 0, 1, 1) is the least that fits, or use a kernel of at most 2"


def test_rounding_up_is_said_in_the_formula():
    problem = refusal("maxpool", {"kernel": 5, "stride": 2, "ceil": True}, (3, 3, 9))
    assert problem.notes == ("height: ceil((3 - 5)/2) + 1 = 0",)
    assert problem.help == "pad = (1, 0) is the least that fits, or use a kernel of at most 4"


REPAIRED = [
    ("conv", {"channels": 32, "kernel": 11}, (32, 8, 8)),
    ("conv", {"channels": 3, "kernel": (1, 3), "dilation": 4, "pad": (1, 0, 0, 0)}, (3, 8, 8)),
    ("conv", {"channels": 3, "kernel": (9, 3), "stride": 2, "pad": (0, 2)}, (3, 2, 8)),
    ("conv", {"channels": 32, "kernel": 3, "groups": 3}, (16, 8, 8)),
    ("conv", {"channels": 33, "kernel": 3, "groups": 3}, (16, 8, 8)),
    ("maxpool", {"kernel": 5, "stride": 2, "ceil": True}, (3, 3, 9)),
    ("maxpool", {"kernel": 3}, (3, 1, 9)),
    ("maxpool", {"kernel": 6, "stride": (1, 4), "ceil": True}, (3, 4, 2)),
    ("maxpool", {"kernel": (2, 5), "pad": (2, 4)}, (3, 8, 9)),
    ("avgpool", {"kernel": 2, "pad": (0, 1, 2, 0)}, (3, 8, 9)),
    ("deconv", {"channels": 4, "kernel": 3, "stride": (2, 1), "output_padding": 1}, (8, 5, 5)),
    ("groupnorm", {"groups": 4}, (6, 5, 7)),
    ("groupnorm", {"groups": 5}, (6,)),
]


@pytest.mark.parametrize(("name", "arguments", "shape"), REPAIRED)
def test_a_repair_repairs(name: str, arguments: dict[str, Any], shape: tuple[int, ...]):
    problem = refusal(name, arguments, shape)
    assert problem.repair
    for argument, text in problem.repair:
        assert text in (problem.help or "")
        value = tuple(map(int, text.strip("()").split(",")))
        arguments = {**arguments, argument: value if len(value) > 1 else value[0]}
    infer(BUILTIN[name], arguments, [shape])


@pytest.mark.parametrize("pad", [1, 0])
def test_the_largest_kernel_that_is_named_is_the_largest(pad: int):
    problem = refusal("conv", {"channels": 1, "kernel": 9, "dilation": 2, "pad": pad}, (1, 8, 30))
    largest = int((problem.help or "").rsplit(" ", 1)[1])
    infer(BUILTIN["conv"], {"channels": 1, "kernel": largest, "dilation": 2, "pad": pad}, [(1, 8, 30)])
    refusal("conv", {"channels": 1, "kernel": largest + 1, "dilation": 2, "pad": pad}, (1, 8, 30))


def test_groups():
    problem = refusal("conv", {"channels": 33, "kernel": 3, "groups": 3}, (16, 8, 8))
    assert problem.message == "16 input channels cannot be split into 3 groups"
    assert problem.code == "E0205"
    problem = refusal("conv", {"channels": 32, "kernel": 3, "groups": 3}, (33, 8, 8))
    assert problem.message == "32 output channels cannot be split into 3 groups"


@pytest.mark.parametrize("features", [10, 8])
def test_dense_on_an_image(features: int):
    """Also where the last axis happens to have the right size."""
    problem = refusal("dense", {"features": features}, (32, 8, 8))
    assert problem.message == "needs a flat value, but gets 32 x 8 x 8; flatten gives 2048"
    assert problem.help == f"write flatten -> dense({features})"
    assert problem.code == "E0204"


def test_dense_on_an_image_of_open_size():
    problem = refusal("dense", {"features": 10}, (32, symbol("H"), 8))
    assert problem.message == "needs a flat value, but gets 32 x H x 8; flatten gives 256*H"


@pytest.mark.parametrize("name", ["add", "mul", "concat"])
class TestBranches:
    def test_the_branch_that_differs_is_pointed_at(self, name: str):
        problem = refusal(name, {}, (128, 28, 28), (128, 28, 28), (128, 27, 27))
        assert problem.message == "branch sizes differ in height: 28 and 27"
        assert problem.position == 2
        assert problem.code == "E0203"
        assert problem.notes[0] == "the values are 128 x 28 x 28 and 128 x 27 x 27"

    def test_one_branch_is_too_few(self, name: str):
        problem = refusal(name, {}, (128, 28, 28))
        assert problem.message == "merges at least two values, but gets 1"
        assert problem.code == "E0212"

    def test_image_and_flat_value(self, name: str):
        problem = refusal(name, {}, (64, 7, 7), (3136,))
        assert problem.message == "branches differ in their number of axes: 64 x 7 x 7 and 3136"
        assert problem.position == 1


def test_open_branches_say_their_formulas():
    height = symbol("H")
    layer = infer(BUILTIN["add"], {}, [(8, (height - 1) // 2 + 1, 4), (8, height // 2, 4)])
    (condition,) = layer.check.open
    assert callable(condition.reason)
    assert condition.reason().message == "branch sizes differ in height: ceil(H/2) and floor(H/2)"


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        ("conv", {"channels": 4, "kernel": 3, "stride": -1}, "stride must be a whole number of at least 1, or a pair"),
        ("maxpool", {"kernel": 2, "stride": 0}, "stride must be a whole number of at least 1, or a pair"),
        ("maxpool", {"kernel": 2, "pad": -1}, "pad must be a whole number of at least 0, a pair"),
        ("maxpool", {"kernel": 2, "ceil": 1}, "ceil must be true or false, not 1"),
        ("dropout", {"rate": 1}, "rate must be a number from 0 below 1, not 1"),
        ("lrn", {"size": 2.5}, "size must be a whole number of at least 1, not 2.5"),
        ("dense", {"features": "ten"}, 'features must be a whole number of at least 1, not "ten"'),
        ("lrn", {"size": None}, "size must be a whole number of at least 1, not none"),
    ],
)
def test_illegal_values(name: str, written: dict[str, Any], message: str):
    with pytest.raises(ArgumentError) as error:
        infer(BUILTIN[name], written, [(4, 9, 9)])
    assert str(error.value).startswith(message)


def test_groups_of_a_norm():
    problem = refusal("groupnorm", {"groups": 32}, (48, 7, 7))
    assert (problem.code, problem.argument) == ("E0205", "groups")
    assert problem.message == "48 channels cannot be split into 32 groups"
    assert problem.help == "groups = 24 is the nearest that fits"


def test_a_mean_of_one_entry():
    problem = refusal("instancenorm", {}, (16, 1, 1))
    assert problem.code == "E0213"
    assert problem.message.startswith("has one entry for each mean (pixels of each channel: 1)")
    layer = infer(BUILTIN["instancenorm"], {}, [(16, symbol("H"), 1)])
    assert [str(condition) for condition in layer.check.open] == ["H >= 2"]
    assert not infer(BUILTIN["groupnorm"], {"groups": 4}, [(16, symbol("H"), 1)]).check.open, "four channels each"


def test_an_axis_that_is_not_there():
    problem = refusal("softmax", {"axis": "height"}, (4, 9))
    assert (problem.code, problem.argument) == ("E0204", "axis")
    assert problem.message == "its input has no height"
    assert problem.notes == ("the axes of a value with 2 sizes are channels, length",)


@pytest.mark.parametrize("name", ["layernorm", "rmsnorm"])
def test_weights_for_an_open_size(name: str):
    shape = (6, symbol("H"), 8)
    problem = refusal(name, {"axis": "all"}, shape)
    assert (problem.code, problem.repair) == ("E0207", (("affine", "false"),))
    infer(BUILTIN[name], {"axis": "all", "affine": False}, [shape])
    infer(BUILTIN[name], {"axis": "width"}, [shape])


def test_numbers_in_the_wrong_order():
    for name, low, high in (("clip", "low", "high"), ("rrelu", "lower", "upper")):
        problem = refusal(name, {low: 2, high: 1}, (6, 5, 7))
        assert (problem.code, problem.argument) == ("E0211", low)
        assert problem.message == f"{low} = 2 is above {high} = 1"


class TestStyle:
    def test_one_value_or_three(self):
        for count in (1, 3):
            problem = refusal("adain", {}, *[(4, 5, 3)] * count)
            assert problem.code == "E0212"
            assert problem.message == f"takes two values, content and style, but gets {count}"

    def test_the_style_is_pointed_at(self):
        problem = refusal("adain", {}, (4, 5, 3), (8, 5, 3))
        assert (problem.code, problem.position) == ("E0203", 1)
        assert problem.message == "content and style differ in channels: 4 and 8"


def test_dropconnect_speaks_for_itself():
    problem = refusal("dropconnect", {"features": 10}, (32, 8, 8))
    assert problem.help == "write flatten -> dropconnect(10)"
