"""Every value says where it was given, followed to the place where somebody decided it."""

from __future__ import annotations

import pytest

from striate.expanding import expand_source
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.source import Source

TEXT = """\
block Unit(out, kernel = 3, act = relu) {
  conv(out, kernel, pad = half) -> act
}
model Net(width = 8, depths = [2, 1]) {
  input image: 3 x 16 x 16
  let wide = 2 * width
  for (n, stride) in [(depths[0], 1), (depths[1], 2)] {
    repeat n { Unit(width) }
    conv(wide, 1, stride = stride)
  }
  Unit(in.channels + 1, kernel = 1, act = dropout(0.25)) as last
  output features
}
model Small = Net(width = 4)
profile quick { model.width = 6 }
"""


def origins(name, argument, **options):
    expansion = expand_source(Source("nets/net.cnn", TEXT), **options)
    layer = next(item for item in expansion.layers if item["name"] == name)
    return tuple(layer["arguments"][argument].values())


@pytest.mark.parametrize(
    ("name", "argument", "told"),
    [
        ("unit1.0.1.conv1", "channels", ("8", "default of Net, net.cnn:4")),
        ("unit1.0.1.conv1", "kernel", ("3", "default of Unit, net.cnn:1")),
        ("unit1.0.1.conv1", "pad", ("1", "half, net.cnn:2")),
        ("unit1.0.1.conv1", "groups", ("1", "default of conv")),
        ("conv1.0", "channels", ("16", "2 * width, net.cnn:6 (width: default of Net, net.cnn:4)")),
        ("conv1.1", "stride", ("2", "round 1 of the loop at net.cnn:7")),
        ("last.conv1", "channels", ("17", "in.channels + 1, net.cnn:11")),
        ("last.conv1", "kernel", ("1", "net.cnn:11")),
        ("last.act1", "rate", ("0.25", "net.cnn:11")),
    ],
)
def test_a_value_says_where_it_is_from(name, argument, told):
    assert origins(name, argument, model="Net") == told


def test_variants_profiles_and_the_user_are_named():
    assert origins("unit1.0.0.conv1", "channels", model="Small") == ("4", "variant Small, net.cnn:14")
    quick = origins("unit1.0.0.conv1", "channels", model="Small", profile="quick")
    assert quick == ("6", "profile quick, net.cnn:15")
    assert origins("unit1.0.0.conv1", "channels", model="Net", overrides={"width": "5"}) == ("5", "--set")


def test_comments_show_blocks_rounds_and_names():
    text = expand_source(Source("nets/net.cnn", TEXT), "Small").text
    comments = [line.strip() for line in text.splitlines() if line.strip().startswith("#")]
    assert comments == [
        "# Small of net.cnn, written out by striate expand",
        "#   width = 4: variant Small, net.cnn:14",
        "#   depths = [2, 1]: default of Net, net.cnn:4",
        "# round 0 of the loop at net.cnn:7: n = 2, stride = 1",
        "# round 0 of the loop at net.cnn:8",
        "# unit1.0.0: Unit(out = 4, kernel = 3, act = relu), net.cnn:8",
        "# round 1 of the loop at net.cnn:8",
        "# unit1.0.1: Unit(out = 4, kernel = 3, act = relu), net.cnn:8",
        "# round 1 of the loop at net.cnn:7: n = 1, stride = 2",
        "# round 0 of the loop at net.cnn:8",
        "# unit1.1.0: Unit(out = 4, kernel = 3, act = relu), net.cnn:8",
        "# last: Unit(out = 9, kernel = 1, act = dropout), net.cnn:11",
        "# last is last.act1, net.cnn:11",
    ]


def test_a_call_has_one_line_per_argument():
    text = expand_source(Source("nets/net.cnn", TEXT), "Small").text
    assert (
        """
  conv(
    channels = 9,      # in.channels + 1, net.cnn:11
    kernel = 1,        # net.cnn:11
    stride = 1,        # default of conv
    pad = 0,           # half, net.cnn:2
    groups = 1,        # default of conv
    dilation = 1,      # default of conv
    bias = true,       # default of conv
    init = he_normal,  # default of conv
    fill = zeros,      # default of conv
    weight = plain     # default of conv
  ) as last.conv1      # 9 x 8 x 8, net.cnn:2
"""
        in text
    )


TWO_KINDS = """
block Twice { if in.height > 6 { conv(3, 3) as x } else { deconv(3, 3) as x } }
model Net { input image: 3 x 8 x 8; let t = Twice; t -> t; output y }
"""


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (TWO_KINDS, "E0332", "the weights t.x are those of conv and of deconv"),
        ("model Net { input image: 3 x 8 x 8; conf(3) ; output y }", "E0301", "conf"),
        ("model A { input a: 3 x 8 x 8; output a }\nmodel B = A", "E0310", "several models"),
        ("model A {", "E0106", "never closed"),
    ],
)
def test_what_cannot_be_written_out_is_told(text, code, message):
    with pytest.raises(DiagnosticError) as error:
        expand_source(Source("net.cnn", text))
    found = error.value.diagnostics[0]
    assert found.code == code
    assert message in found.message
