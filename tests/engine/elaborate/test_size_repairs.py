"""Sizes that do not fit: where the message points, and that every repair it proposes works."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.checking import Checked, check_source
from striate_dsl.diagnostics import Diagnostic
from striate_dsl.edits import apply_edits
from striate_dsl.source import Source
from tests.engine.dims.random_networks import CHANNELS, flows

DOWN = """block Down(w) {
  add {
    conv(w, 3, stride = 2, pad = 1) -> relu
    { conv(w, 1) -> maxpool(3, stride = 2) }
  }
}
model Net {
  input image: 3 x 56 x 56
  Down(16) -> conv(16, 3, pad = 1)
  output features
}
"""


def check(text: str) -> Checked:
    return check_source(Source("net.cnn", text))


def net(body: str, size: str = "3 x 32 x 32") -> str:
    return f"model Net {{\n  input image: {size}\n{body}\n  output features\n}}\n"


def only_error(text: str) -> Diagnostic:
    errors = [item for item in check(text).diagnostics if item.severity == "error"]
    assert len(errors) == 1, errors
    return errors[0]


def repaired(text: str, number: int = 0) -> str:
    fix = only_error(text).fixes[number]
    assert fix.edits, fix
    return apply_edits(text, fix.edits)


def labels(finding: Diagnostic) -> dict[str, str]:
    return {label.span.text: label.text for label in finding.labels}


def test_rounding_in_one_branch_is_shown_with_both_formulas_and_padded():
    finding = only_error(DOWN)
    assert finding.message == "add: branch sizes differ in height: 28 and 27"
    assert labels(finding)["stride = 2"] in (
        "56 -> floor((56 + 2*1 - 3)/2) + 1 = 28",
        "56 -> floor((56 - 3)/2) + 1 = 27",
    )
    assert sorted(label.text for label in finding.labels if label.span.text == "stride = 2") == [
        "56 -> floor((56 + 2*1 - 3)/2) + 1 = 28",
        "56 -> floor((56 - 3)/2) + 1 = 27",
    ]
    assert finding.help == "with pad = 1 both branches have height 28: maxpool(3, stride = 2, pad = 1)"
    assert "maxpool(3, stride = 2, pad = 1)" in repaired(DOWN)
    assert not check(repaired(DOWN)).failed


def test_branches_of_different_strides_are_told_apart():
    text = net("  concat { conv(8, 3, pad = 1); conv(8, 3, stride = 2, pad = 1) }")
    finding = only_error(text)
    assert "since the branches part, one has a stride of 1, the other of 2" in finding.notes
    assert labels(finding)["stride = 2"] == "32 -> floor((32 + 2*1 - 3)/2) + 1 = 16"
    assert "stride = 1" in repaired(text)
    assert not check(repaired(text)).failed


def test_the_first_stride_that_the_other_branch_lacks_is_shown():
    text = net(
        "  concat {\n    conv(8, 3, stride = 2, pad = 1) -> maxpool(2) -> conv(8, 1)\n"
        "    maxpool(2) -> conv(8, 3, stride = 4, pad = 1)\n  }"
    )
    found = labels(only_error(text))
    assert found["stride = 4"].startswith("16 -> floor((16 + 2*1 - 3)/4)")
    assert found["maxpool"] == "16 -> floor((16 - 2)/2) + 1 = 8"


def test_a_straight_branch_gets_a_projection():
    text = net("  conv(16, 3, pad = 1)\n  add { conv(32, 3, stride = 2, pad = 1); identity }")
    finding = only_error(text)
    assert finding.help == "conv(32, 1, stride = 2) instead of identity, a projection shortcut"
    assert not check(repaired(text)).failed


def test_channels_of_a_sum_are_made_the_same():
    text = net("  conv(16, 3, pad = 1) as skip\n  conv(32, 3, pad = 1) -> relu -> add(skip)")
    finding = only_error(text)
    assert labels(finding)["32"] == "32 channels are made here"
    assert "conv(16, 3, pad = 1) -> relu -> add(skip)" in repaired(text)
    assert not check(repaired(text)).failed


def test_unpadded_convolutions_of_a_u_net_are_padded_together():
    text = net(
        "  conv(8, 3, pad = 1) as skip\n  maxpool(2) -> conv(16, 3) -> conv(16, 3)\n"
        "  deconv(8, 2, stride = 2) -> concat(skip)",
        "3 x H x W",
    )
    finding = only_error(text)
    assert finding.message == "concat: branch sizes differ in height: 2*floor(H/2) - 8 and H"
    assert finding.help is not None and finding.help.startswith("with padding that keeps the size in 2 layers (line 4)")
    assert not check(repaired(text)).failed


def test_an_argument_that_comes_from_elsewhere_is_described_but_not_edited():
    text = DOWN.replace("maxpool(3, stride = 2)", "maxpool(3, stride = 2, pad = p)").replace(
        "Down(w)", "Down(w, p = 0)"
    )
    finding = only_error(text)
    assert finding.fixes[0].title == "with pad = 1 both branches have height 28: maxpool in line 4"
    assert finding.fixes[0].edits == ()


def test_a_window_that_does_not_fit_gets_padding_a_smaller_kernel_or_a_larger_image():
    text = net("  conv(8, 3, pad = 1) -> maxpool(4) -> conv(8, 11)")
    finding = only_error(text)
    assert [fix.title for fix in finding.fixes] == [
        "pad = 2, which gives 8 x 2 x 2",
        "kernel = 7, which gives 8 x 2 x 2",
        "input image: 3 x 44 x 44 is the nearest size that all layers take",
    ]
    for number in range(3):
        assert not check(repaired(text, number)).failed


def test_a_dilated_window_that_does_not_fit_gets_a_smaller_dilation():
    titles = [fix.title for fix in only_error(net("  conv(8, 5, dilation = 9)")).fixes]
    assert "dilation = 7, which gives 8 x 4 x 4" in titles


def test_groups_or_channels():
    text = net("  conv(16, 1) -> conv(30, 3, groups = 4)")
    assert [fix.title for fix in only_error(text).fixes] == [
        "groups = 2, which gives 30 x 30 x 30",
        "channels = 32, which gives 32 x 30 x 30",
    ]
    assert not check(repaired(text, 1)).failed


def test_fixed_input_sizes_are_moved_to_the_nearest_that_all_layers_take():
    text = net("  conv(8, 3, pad = 1) as skip\n  maxpool(4) -> deconv(8, 4, stride = 4) -> add(skip)", "3 x 30 x 41")
    assert only_error(text).fixes[-1].title == ("input image: 3 x 32 x 40 is the nearest size that all layers take")
    after = apply_edits(text, only_error(text).fixes[-1].edits)
    assert "input image: 3 x 32 x 40" in after
    assert not check(after).failed


def test_dense_layers_do_not_hide_the_sizes_that_would_do():
    text = net("  conv(8, 3) as skip\n  maxpool(3) -> conv(8, 11) -> flatten -> dense(10)")
    assert "input image: 3 x 35 x 35 is the nearest size that all layers take" in [
        fix.title for fix in only_error(text).fixes
    ]


def test_two_conditions_that_contradict_each_other_are_both_shown():
    text = net("  maxpool(2) -> deconv(3, 2, stride = 2) -> add(image)", "3 x H x W where H % 2 == 1")
    finding = only_error(text)
    assert finding.span is not None and finding.span.line == 3
    assert [label.text for label in finding.labels] == ["this asks for H % 2 == 1"]
    assert "no input size fulfils H % 2 == 0 together with H % 2 == 1" in finding.notes


@pytest.mark.parametrize(("sizes", "fine"), [({"H": 200, "W": 333}, False), ({"H": 208, "W": 336}, True)])
def test_sizes_asked_about(sizes, fine):
    text = net("  conv(8, 3, pad = 1) as skip\n  maxpool(16) -> deconv(8, 16, stride = 16) -> add(skip)", "3 x H x W")
    checked = check_source(Source("net.cnn", text), sizes=sizes)
    assert checked.failed is not fine
    if fine:
        assert checked.outputs["Net"]["features"].shape == (8, 208, 336)
    else:
        assert checked.diagnostics[0].help == "H = 208, W = 336 is the nearest size that all layers take"


def test_a_condition_of_the_file_is_held_against_the_sizes_asked_about():
    text = net("  relu", "3 x H x W where H % 32 == 0")
    (finding,) = check_source(Source("net.cnn", text), sizes={"H": 33}).diagnostics
    assert (finding.code, finding.message) == ("E0325", "H = 33 does not fulfil H % 32 == 0")


def test_a_size_that_is_not_open_cannot_be_asked_about():
    (finding,) = check_source(Source("net.cnn", net("  relu", "3 x H x 8")), sizes={"h": 3}).diagnostics
    assert (finding.code, finding.notes) == ("E0323", ("sizes left open: H",))
    (finding,) = check_source(Source("net.cnn", net("  relu")), sizes={"H": 3}).diagnostics
    assert finding.notes == ("all input sizes are fixed",)


@given(flows(), st.integers(3, 40), st.integers(3, 40))
@settings(max_examples=150, deadline=None)
def test_every_edit_proposed_for_a_size_makes_its_finding_go(piece, height, width):
    """A repair may uncover the next mistake further on; the same one must not stay."""
    text = net(f"  {piece.text}", f"{CHANNELS} x {height} x {width}")
    for finding in check(text).diagnostics:
        if finding.code not in ("E0202", "E0203"):
            continue
        assert finding.span is not None
        for fix in finding.fixes:
            if fix.edits:
                after = check(apply_edits(text, fix.edits))
                here = [
                    item
                    for item in after.diagnostics
                    if item.code == finding.code and item.span is not None and item.message == finding.message
                ]
                moved = sum(len(edit.replacement) - (edit.span.end - edit.span.start) for edit in fix.edits)
                ends = {len(text) - finding.span.end, len(text) + moved - finding.span.end}
                assert not any(len(text) + moved - item.span.end in ends for item in here if item.span), (
                    text,
                    fix.title,
                )
