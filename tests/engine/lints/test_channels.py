"""What the lint of tensor cores says a repair costs is what the repair costs."""

from __future__ import annotations

import re

import pytest

from striate.checking import check_source
from striate.model import load_source
from striate_dsl.edits import apply_edits
from striate_dsl.source import Source
from tests.engine.lints.faults import for_tensor_cores

COST = re.compile(r"costs ([\d,]+) parameters(?: and ([\d,]+) MACs)? more")


def counted(text):
    model = load_source(Source("net.cnn", text))
    return model.parameters, model.summary().totals.macs


@pytest.mark.parametrize(
    "body",
    [
        "conv(60, 3) -> relu -> conv(16, 3)",
        "conv(60, 3, bias = false) -> bn -> relu -> maxpool(2) -> conv(16, 3, groups = 2)",
        "conv(60, 3) -> global_avgpool -> flatten -> dense(16)",
        "conv(60, 3) -> maxpool(2) -> flatten -> dense(16) -> dense(8)",
        "relu as early\nconv(60, 3, pad = 1) -> concat(early) -> bn -> conv(16, 1)",
        "conv(60, 3) as a\na -> conv(8, 1) as b\na -> conv(16, 1) -> concat(b)",
        "conv(8, 3) -> deconv(60, 2, stride = 2) -> conv(8, 1)",
        "flatten -> dense(60) -> relu -> dense(16)",
        "conv(60, 3) -> attention(4) -> conv(16, 1)",
        "conv(60, 3) -> reshape([channels, auto]) -> gru(8, bidirectional = true) -> conv(16, 1)",
        "conv(60, 3) -> reshape([channels, auto]) -> lstm(8, axis = last)",
        "conv(60, 3) -> nonlocal(reduction = 4) -> window_attention(4, 2) -> conv(16, 1)",
    ],
)
def test_the_cost_is_that_of_the_whole_network(body):
    text = for_tensor_cores(body)
    (found,) = [item for item in check_source(Source("net.cnn", text)).diagnostics if item.code == "W0119"]
    repaired = apply_edits(text, found.fixes[0].edits)
    parameters, macs = counted(text)
    more_parameters, more_macs = counted(repaired)
    told = COST.search(found.help)
    assert int(told[1].replace(",", "")) == more_parameters - parameters
    assert int(told[2].replace(",", "")) == more_macs - macs


def test_the_cost_of_a_depthwise_layer_between_is_counted():
    text = for_tensor_cores("conv(60, 3) -> conv(in.channels, 3, groups = in.channels) -> conv(16, 1)")
    (found,) = [item for item in check_source(Source("net.cnn", text)).diagnostics if item.code == "W0119"]
    before, after = counted(text), counted(apply_edits(text, found.fixes[0].edits))
    told = COST.search(found.help)
    assert [int(number.replace(",", "")) for number in told.groups()] == [after[0] - before[0], after[1] - before[1]]


def test_multiply_adds_of_open_sizes_are_left_out():
    text = for_tensor_cores("conv(60, 3) -> conv(16, 1)", size="8 x H x W")
    (found,) = check_source(Source("net.cnn", text)).diagnostics
    told = COST.search(found.help)
    assert told[2] is None
    assert "H" not in found.help


def test_the_widest_row_of_several_sections_counts():
    text = for_tensor_cores("conv(24, 3) -> conv(16, 1)", "float16") + "export Net as phone { tensor_cores = int8 }\n"
    (found,) = check_source(Source("net.cnn", text)).diagnostics
    assert found.notes[0] == "in int8, 16 channels go together"
