"""The table of faults and of texts that look alike and are fine, by lint."""

from __future__ import annotations

from tests.engine.lints.linting import RECIPE, Fault, model

TOWER = "block Tower(bias = true) {\n  conv(8, 3, bias = bias) -> bn\n}\n"


def scores(end: str) -> str:
    return model(f"flatten -> dense(10)\n{end}", size="1 x 8 x 8", after=RECIPE)


def for_tensor_cores(body: str, arithmetic: str = "float16", *, size: str = "8 x 32 x 32") -> str:
    return model(body, size=size, after=f"export Net {{ tensor_cores = {arithmetic} }}\n")


def with_head(body: str, head: str, *, before: str = "") -> str:
    return model(f"{body}\nhead {head}", before=before).replace("  output y\n", "")


FAULTS = [
    # ------------------------------------------------------------------------------------ bias before batch norm
    Fault("W0102", model("§conv(8, 3) -> bn"), "bias of conv", "safe", "conv(8, 3, bias = false) -> bn"),
    Fault("W0102", model("§conv(8, 3, 2, bias = true) -> bn"), "bias", "safe", "conv(8, 3, 2, bias = false) -> bn"),
    Fault("W0102", model("flatten\n§dense(9) # nine\nbn"), "bias of dense", "safe", "dense(9, bias = false) # nine"),
    Fault("W0102", model("§conv(8, 3, 1, 0, 1, 1, true) -> bn"), "bias", "safe", "conv(8, 3, 1, 0, 1, 1, false)"),
    Fault(
        "W0102", model("§conv(8, 3) -> instancenorm"), "by the instancenorm", "safe", "conv(8, 3, bias = false) -> inst"
    ),
    Fault(
        "W0102",
        model("Tower", before=TOWER.replace("conv(", "§conv(")),
        "bias",
        "unsafe",
        "conv(8, 3, bias = false) -> bn",
    ),
    Fault(
        "W0102",
        model("§deconv(\n    8, # width\n    2, stride = 2)\nbn"),
        "deconv",
        "safe",
        "stride = 2, bias = false)",
    ),
    # ------------------------------------------------------------------------------------ function applied twice
    Fault("W0103", scores("-> §softmax"), "cross_entropy applies softmax itself", "unsafe", "dense(10)\n  output"),
    Fault("W0103", scores("§sigmoid"), "so sigmoid must not", "unsafe", "dense(10)\n  output"),
    Fault("W0103", scores("§log_softmax"), "so log_softmax must not", "unsafe", "dense(10)\n  output"),
    Fault("W0103", scores("relu -> §softmax as y"), "softmax", "unsafe", "relu as y"),
    # ------------------------------------------------------------------------------------ checkerboard
    Fault(
        "W0104",
        model("§deconv(8, 3, stride = 2)"),
        "1 or 2 kernel entries",
        "unsafe",
        "deconv(8, 4, stride = 2, pad = (0, 1, 0, 1))",
    ),
    Fault(
        "W0104",
        model("§deconv(8, 3, stride = 2, pad = 1, output_padding = 1)", size="8 x H x W"),
        "kernel 3 is not divisible by stride 2",
        "unsafe",
        "deconv(8, 4, stride = 2, pad = 1, output_padding = 0)",
    ),
    Fault(
        "W0104",
        model("§deconv(8, (2, 5), stride = (2, 3))"),
        "output columns",
        "unsafe",
        "deconv(8, (2, 6), stride = (2, 3), pad = (0, 0, 0, 1))",
    ),
    Fault("W0104", model("§deconv(8, 2, stride = 2, dilation = 2)"), "0 or 2"),
    # ------------------------------------------------------------------------------------ stride larger than kernel
    Fault("W0105", model("§conv(8, 1, stride = 2)"), "1 of 2 of the input's rows"),
    Fault("W0105", model("§maxpool((2, 1), stride = (2, 3))"), "2 of 3 of the input's columns"),
    Fault(
        "W0105",
        model(
            "add { §conv(8, 1, stride = 2); conv(8, 1, stride = 2) }".replace("; ", "\n")
            .replace("{ ", "{\n")
            .replace(" }", "\n}")
        ),
        "rows",
    ),
    # ------------------------------------------------------------------------------------ dilation gridding
    Fault("W0106", model("conv(8, 3, dilation = 2)\n§conv(8, 3, dilation = 2)"), "multiples of 2"),
    Fault(
        "W0106",
        model("conv(8, 3, dilation = 3) -> §conv(8, 3, dilation = 3) -> relu -> conv(8, 3, dilation = 6)"),
        "third",
    ),
    Fault(
        "W0106",
        model(
            "conv(8, 3, dilation = 2) -> bn -> relu -> conv(8, 1) -> §conv(8, 3, dilation = 4)".replace(
                "(8, 3, dilation = 2)", "(8, 3, dilation = 2, bias = false)"
            )
        ),
        "every second pixel",
    ),
    # ------------------------------------------------------------------------------------ even kernel with half
    Fault(
        "W0107", model("conv(8, 4, pad = §half)"), "kernel 4 gets 1 on both sides", "unsafe", "conv(8, 4, pad = same)"
    ),
    Fault("W0107", model("maxpool(2, stride = 2, pad = §half)"), "kernel 2 gets 0"),
    Fault(
        "W0107", model("C(4)", before="block C(k) { conv(8, k, pad = §half) }\n"), "kernel 4", "unsafe", "pad = same"
    ),
    # ------------------------------------------------------------------------------------ dropout before batch norm
    Fault("W0108", model("§dropout(0.2) -> bn"), "dropout", "unsafe", "bn -> dropout(0.2)"),
    Fault("W0108", model("§dropout\nbn"), "dropout"),
    Fault(
        "W0108",
        model("§dropout(0.2) -> instancenorm(running = true)"),
        "before instancenorm",
        "unsafe",
        "instancenorm(running = true) -> dropout(0.2)",
    ),
    Fault("W0108", model("§dropout -> bn -> bn"), "dropout"),
    # ------------------------------------------------------------------------------------ never used
    Fault("W0109", model("conv(8, 3) as §early -> relu"), "early is never used", "unsafe", "conv(8, 3) -> relu"),
    Fault("W0109", model("let §width = 8\nconv(8, 3)"), "width", "safe", "8 x 32 x 32\n  conv(8, 3)"),
    Fault("W0109", model("let §width = 8   # for later\nconv(8, 3)"), "width"),
    Fault("W0109", model("{ relu; tanh } as §both"), "both", "unsafe", "{ relu; tanh }\n"),
    Fault("W0110", model("relu", before="block §Spare { tanh }\n"), "block Spare"),
    Fault("W0110", model("relu", before="block §Spare { if in.channels > 3 { tanh -> Spare } }\n"), "block Spare"),
    Fault("W0111", model("B(3)", before="block B(§out) { relu }\n"), "block B never uses its parameter out"),
    Fault("W0111", model("relu").replace("Net", "Net(§classes = 10)"), "model Net never uses its parameter classes"),
    # ------------------------------------------------------------------------------------ dead layers
    Fault("W0112", model("relu as a\nconv(8, 3) -> §conv(8, 1)\na -> tanh"), "no output of Net depends on this"),
    Fault("W0112", model("relu as a\n§B\na -> tanh", before="block B { conv(8, 3) -> relu }\n"), "no output"),
    Fault("W0112", model("relu as a\n§B\na -> B", before="block B { tanh -> relu }\n"), "no output"),
    Fault("W0112", model("§input other: 3 x 8 x 8\nimage -> relu"), "input other is not used"),
    # ------------------------------------------------------------------------------------ loops that do not repeat
    Fault("W0113", model("§repeat 1 { relu -> tanh }"), "runs once", "unsafe", "  { relu -> tanh }"),
    Fault("W0113", model("relu\n§repeat 0 { relu }"), "never runs"),
    Fault("W0113", model("§repeat i in 0..1 {\n  conv(i + 8, 1)\n}"), "runs once"),
    # ------------------------------------------------------------------------------------ large dense layers
    Fault(
        "W0114",
        model("conv(64, 3, pad = 1)\nflatten -> §dense(100)"),
        "6,553,600 of the",
        "unsafe",
        "global_avgpool -> flatten -> dense(100)",
    ),
    Fault(
        "W0114",
        model("relu -> flatten -> dropout -> §dense(1000)"),
        "8 x 32 x 32",
        "unsafe",
        "relu -> global_avgpool -> flatten",
    ),
    # ------------------------------------------------------------------------------------ too small, rows left out
    Fault("W0115", model("global_avgpool -> §conv(8, 3, pad = 1)"), "down to 1 x 1"),
    Fault("W0115", model("conv(8, 32) -> §maxpool(3, stride = 1, pad = 1) -> conv(8, 3, pad = 1)"), "3 x 3 kernel"),
    Fault(
        "W0116",
        model("§maxpool(2)", size="8 x 33 x 32"),
        "the last row of 33 x 32",
        "unsafe",
        "maxpool(2, ceil = true)",
    ),
    Fault(
        "W0116",
        model("§avgpool(4, ceil = false)", size="8 x 32 x 35"),
        "the last 3 columns",
        "unsafe",
        "avgpool(4, ceil = true)",
    ),
    # ------------------------------------------------------------------------------------ bounded scores
    Fault("W0117", scores("§relu"), "bounds the scores that cross_entropy reads", "unsafe", "dense(10)\n  output"),
    Fault("W0117", scores("§tanh\nflatten"), "tanh", "unsafe", "dense(10)\n  flatten"),
    # ------------------------------------------------------------------------------------ same with a stride
    Fault("W0118", model("conv(8, 3, stride = 2, pad = §same)"), "below and to the right", "display", "pad = half"),
    Fault("W0118", model("conv(8, 3, stride = 2, pad = §same, fill = reflect)"), "adds rows", "display", "pad = half"),
    Fault("W0118", model("maxpool(3, 2, §same)", size="8 x H x W"), "stride 2", "display", "maxpool(3, 2, half)"),
    # ------------------------------------------------------------------------------------ tensor cores
    Fault(
        "W0119",
        for_tensor_cores("§conv(60, 3) -> relu -> conv(8, 1)"),
        "60 output channels are filled up to 64 on tensor cores: 6%",
        "unsafe",
        "conv(64, 3) -> relu",
    ),
    Fault(
        "W0119",
        for_tensor_cores("conv(16, 3) -> flatten -> §dense(84) -> relu -> dense(10)", "int8"),
        "84 features are filled up to 96",
        "unsafe",
        "dense(96) -> relu",
    ),
    Fault("W0119", for_tensor_cores("§conv(6, 3) -> conv(8, 1)", "tf32"), "6 output channels", "unsafe", "conv(8, 3)"),
    Fault(
        "W0119",
        for_tensor_cores("§conv(16, 3, groups = 4) -> conv(8, 1)"),
        "16 output channels (4 in each of 4 groups) are filled up to 32 on tensor cores: 50%",
        "unsafe",
        "conv(32, 3, groups = 4)",
    ),
    Fault(
        "W0119",
        for_tensor_cores("let n = 12\n§conv(n, 3) -> conv(8, 1)"),
        "12 output channels",
    ),
    Fault(
        "W0119",
        for_tensor_cores("§deconv(12, 2, stride = 2) -> conv(8, 1)", "bfloat16", size="8 x H x W"),
        "12 output channels",
        "unsafe",
        "deconv(16, 2, stride = 2)",
    ),
    # ------------------------------------------------------------------------------------ objects of a head
    Fault(
        "W0120",
        with_head("conv(8, 3) -> relu", "segmentation(classes = 2, objects = §4)"),
        "objects of 4 x 4 pixels are to be found, and an entry of relu1 sees 3 x 3",
    ),
    Fault(
        "W0120",
        with_head("conv(8, (3, 9))", "segmentation(classes = 2, objects = §[3, (3, 9), (5, 2)])"),
        "objects of 5 x 2 pixels are to be found, and an entry of conv1 sees 3 x 9",
    ),
    Fault(
        "W0120",
        with_head("maxpool(2) -> conv(8, 3)", "classification(10, objects = §9)"),
        "an entry of conv1 sees 6 x 6",
    ),
    # ------------------------------------------------------------------------------------ the order of PyTorch
    Fault(
        "W0121",
        model("§conv(8, 16, 3) -> relu", size="8 x 30 x 30"),
        "conv(8, 16, 3) is a 16 x 16 kernel with stride 3",
        "unsafe",
        "conv(16, 3)",
    ),
    Fault(
        "W0121",
        model("§deconv(8, 16, 3, pad = 1) -> relu", size="8 x H x W"),
        "deconv(8, 16, 3, pad = 1) is a 16 x 16 kernel with stride 3",
        "unsafe",
        "deconv(16, 3, pad = 1)",
    ),
]

FINE = [
    ("W0102", model("conv(8, 3, bias = false) -> bn")),
    ("W0102", model("conv(8, 3) -> layernorm -> conv(8, 3) -> groupnorm(2)")),
    ("W0102", model("conv(8, 3) as a -> bn\nconcat { conv(8, 3); conv(8, 3) }").replace("-> bn", "-> relu -> bn")),
    ("W0102", model("conv(8, 3, pad = 1) as a -> bn -> add(a)")),
    ("W0102", model("unflatten([4, 2], axis = channels) -> convlstm(4, 3) -> bn")),
    ("W0102", model("Conv(bn) -> Conv(relu)", before="block Conv(act) { conv(8, 3) -> act }\n")),
    ("W0102", model("let c = conv(8, 3, pad = 1)\nc -> bn -> c -> relu")),
    ("W0102", model("conv(8, 3) -> relu", after="model Other = Net()\n")),
    ("W0103", model("flatten -> dense(10) -> softmax")),
    ("W0103", scores("softmax -> dense(10)")),
    ("W0104", model("deconv(8, 4, stride = 2) -> deconv(8, 3) -> deconv(8, 6, stride = 3)")),
    ("W0104", model("deconv(8, 3, stride = 2, dilation = 2)").replace("stride = 2, dilation", "stride = 1, dilation")),
    ("W0105", model("add {\n conv(8, 1, stride = 2)\n conv(8, 3, stride = 2, pad = 1)\n}")),
    ("W0105", model("conv(8, 2, stride = 2) -> maxpool(3, stride = 2)", size="8 x 30 x 30")),
    ("W0106", model("conv(8, 3, dilation = 2) -> conv(8, 3, dilation = 3)")),
    ("W0106", model("conv(8, 3, dilation = 2) -> conv(8, 3) -> conv(8, 3, dilation = 2)")),
    ("W0107", model("conv(8, 3, pad = half) -> conv(8, 4, pad = 2)")),
    ("W0107", model("conv(8, 4, pad = half, dilation = 2)")),
    ("W0108", model("conv(8, 3, bias = false) -> bn -> dropout -> relu")),
    ("W0108", model("dropout(0) -> bn")),
    ("W0108", model("dropout(0.3) -> layernorm -> dropout(0.3) -> instancenorm")),
    ("W0109", model("conv(8, 3) as a\nlet w = a.channels\nconv(w, 1)")),
    ("W0109", model('let w = 3\nassert 1 == 1, "{w}"\nrelu as y')),
    ("W0109", model("relu as _stem -> relu")),
    ("W0110", "block Shared { relu }\n"),
    ("W0110", model("A", before="block A { B }\nblock B { relu }\n")),
    (
        "W0110",
        model("relu", before="block B { relu }\n")
        .replace("Net {", "Net(unit = B) {")
        .replace("relu\n  out", "unit\n  out"),
    ),
    ("W0111", model("B(3)", before="block B(out, half = out) { conv(half, 1) }\n")),
    ("W0111", model("B(3)", before="block B(_out) { relu }\n")),
    (
        "W0112",
        model(
            "relu as a\nconv(8, 1) as c\na -> tanh\nif deep { add(c) }", after="model Deep = Net(deep = true)\n"
        ).replace("Net {", "Net(deep = false) {"),
    ),
    ("W0112", model("relu as a\nif 1 == 2 { conv(8, 3) }\na -> tanh")),
    ("W0112", model("relu as a\nB as b\na -> tanh -> B -> add(b)", before="block B { conv(8, 1) -> relu }\n")),
    ("W0113", model("repeat 2 { relu }")),
    ("W0113", model("repeat n - 1 { relu }").replace("Net {", "Net(n = 2) {")),
    ("W0114", model("conv(64, 3) -> global_avgpool -> flatten -> dense(1000)")),
    ("W0114", model("flatten -> dense(100)")),
    ("W0115", model("global_avgpool -> conv(8, 1)")),
    ("W0115", model("conv(8, (32, 1)) -> conv(8, (1, 3))")),
    ("W0116", model("maxpool(2)", size="8 x H x W")),
    ("W0116", model("maxpool(2, ceil = true) -> maxpool(3, stride = 2, pad = 1)", size="8 x 33 x 33")),
    ("W0117", scores("relu -> dense(3)")),
    ("W0117", model("flatten -> dense(10) -> relu")),
    ("W0118", model("conv(8, 3, pad = same) -> conv(8, 3, stride = 2, pad = half)")),
    ("W0118", model("conv(8, 3, stride = 2, pad = same)", size="8 x 33 x 33")),
    ("W0119", model("conv(60, 3) -> relu -> conv(8, 1)", after="export Net { opset = 18 }\n")),
    ("W0119", for_tensor_cores("conv(8, 3) -> conv(16, 3, groups = 2) -> conv(10, 1) -> softmax")),
    ("W0119", for_tensor_cores("conv(10, 3, groups = 10) -> conv(8, 1)", size="10 x 32 x 32")),
    ("W0119", for_tensor_cores("conv(20, 3) -> conv(8, 1)", "tf32")),
    ("W0119", for_tensor_cores("conv(60, 3) -> conv(8, 1)", "none")),
    ("W0120", with_head("conv(8, 3) -> relu", "segmentation(classes = 2)")),
    ("W0120", with_head("conv(8, 3) -> relu", "segmentation(classes = 2, objects = [3, (1, 3)])")),
    ("W0120", with_head("global_avgpool -> conv(8, 1)", "segmentation(classes = 2, objects = 500)")),
    ("W0120", with_head("conv(8, 3)", "segmentation(classes = 2, objects = none)")),
    ("W0121", model("conv(8, 7, 3) -> relu", size="8 x 30 x 30")),
    ("W0121", model("conv(16, 16, 3) -> relu", size="8 x 30 x 30")),
    ("W0121", model("conv(8, 16, 16) -> relu", size="8 x 32 x 32")),
    ("W0121", model("conv(8, 16, stride = 3) -> relu", size="8 x 30 x 30")),
    ("W0121", model("Unit(8) -> relu", before="block Unit(n) { conv(n, 16, 3) }\n", size="8 x 30 x 30")),
]
