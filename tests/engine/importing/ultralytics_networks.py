"""Models as YAML, made from the tables of their papers and documentation: widths, kernels, repetitions, scales."""

from __future__ import annotations

V8_SCALES = (
    "{n: [0.33, 0.25, 1024], s: [0.33, 0.50, 1024], m: [0.67, 0.75, 768], l: [1.0, 1.0, 512], x: [1.0, 1.25, 512]}"
)
V11_SCALES = "{n: [0.5, 0.25, 1024], s: [0.5, 0.5, 1024], m: [0.5, 1.0, 512], l: [1.0, 1.0, 512], x: [1.0, 1.5, 512]}"
V5_SCALES = "{n: [0.33, 0.25], s: [0.33, 0.50], m: [0.67, 0.75], l: [1.0, 1.0], x: [1.33, 1.25]}"
V8_CLS_SCALES = "{n: [0.33, 0.25, 1024], s: [0.33, 0.5, 1024], m: [0.67, 0.75, 1024], l: [1.0, 1.0, 1024]}"
V5_ANCHORS = "\n".join(
    ["anchors:", "  - [10,13, 16,30, 33,23]", "  - [30,61, 62,45, 59,119]", "  - [116,90, 156,198, 373,326]"]
)


def described(backbone: list[str], head: list[str], scales: str = "", nc: int = 80, more: str = "") -> str:
    """Return a file of rows."""
    lines = [f"nc: {nc}", *([f"scales: {scales}"] if scales else []), more, "backbone:"]
    lines += [f"  - [{row}]" for row in backbone]
    return "\n".join([*lines, "head:", *(f"  - [{row}]" for row in head), ""])


def _stages(unit: str, widths: tuple[int, ...], numbers: tuple[int, ...], arguments: str = "True") -> list[str]:
    rows = []
    for width, number in zip(widths, numbers, strict=True):
        rows += [f"-1, 1, Conv, [{width}, 3, 2]", f"-1, {number}, {unit}, [{width}, {arguments}]".replace(", ]", "]")]
    return rows


def _neck(unit: str, number: int, deep: int, middle: int, fine: int, arguments: str = "") -> list[str]:
    """Return the way up and down between three levels; `deep`, `middle`, `fine` are their rows."""
    first = deep + 1
    up = '-1, 1, nn.Upsample, [None, 2, "nearest"]'
    widths = (512, 256, 512, 1024)
    one, two, three, four = (f"-1, {number}, {unit}, [{width}{arguments}]" for width in widths)
    return [
        up, f"[-1, {middle}], 1, Concat, [1]", one,
        up, f"[-1, {fine}], 1, Concat, [1]", two,
        "-1, 1, Conv, [256, 3, 2]", f"[-1, {first + 2}], 1, Concat, [1]", three,
        "-1, 1, Conv, [512, 3, 2]", f"[-1, {deep}], 1, Concat, [1]", four,
    ]  # fmt: skip


def yolov8(head: str = "Detect, [nc]", nc: int = 80, more: str = "") -> str:
    """YOLOv8; `head` is the module of the last row with its arguments."""
    backbone = [
        "-1, 1, Conv, [64, 3, 2]",
        *_stages("C2f", (128, 256, 512, 1024), (3, 6, 6, 3)),
        "-1, 1, SPPF, [1024, 5]",
    ]
    rows = _neck("C2f", 3, 9, 6, 4)
    return described(backbone, [*rows, f"[15, 18, 21], 1, {head}"], V8_SCALES, nc, more)


def yolov8_classify() -> str:
    """YOLOv8 for classification, with the 1000 classes of ImageNet."""
    backbone = ["-1, 1, Conv, [64, 3, 2]", *_stages("C2f", (128, 256, 512, 1024), (3, 6, 6, 3))]
    return described(backbone, ["-1, 1, Classify, [nc]"], V8_CLS_SCALES, 1000)


def yolo11() -> str:
    """YOLO11."""
    backbone = [
        "-1, 1, Conv, [64, 3, 2]", "-1, 1, Conv, [128, 3, 2]", "-1, 2, C3k2, [256, False, 0.25]",
        "-1, 1, Conv, [256, 3, 2]", "-1, 2, C3k2, [512, False, 0.25]", "-1, 1, Conv, [512, 3, 2]",
        "-1, 2, C3k2, [512, True]", "-1, 1, Conv, [1024, 3, 2]", "-1, 2, C3k2, [1024, True]",
        "-1, 1, SPPF, [1024, 5]", "-1, 2, C2PSA, [1024]",
    ]  # fmt: skip
    rows = _neck("C3k2", 2, 10, 6, 4, ", False")
    rows[-1] = "-1, 2, C3k2, [1024, True]"
    return described(backbone, [*rows, "[16, 19, 22], 1, Detect, [nc]"], V11_SCALES)


def yolov5(head: str = "Detect, [nc, anchors]") -> str:
    """YOLOv5 of version 6, whose first convolution has 6 x 6 pixels."""
    backbone = [
        "-1, 1, Conv, [64, 6, 2, 2]", *_stages("C3", (128, 256, 512, 1024), (3, 6, 9, 3), ""), "-1, 1, SPPF, [1024, 5]"
    ]  # fmt: skip
    up = '-1, 1, nn.Upsample, [None, 2, "nearest"]'
    rows = [
        "-1, 1, Conv, [512, 1, 1]", up, "[-1, 6], 1, Concat, [1]", "-1, 3, C3, [512, False]",
        "-1, 1, Conv, [256, 1, 1]", up, "[-1, 4], 1, Concat, [1]", "-1, 3, C3, [256, False]",
        "-1, 1, Conv, [256, 3, 2]", "[-1, 14], 1, Concat, [1]", "-1, 3, C3, [512, False]",
        "-1, 1, Conv, [512, 3, 2]", "[-1, 10], 1, Concat, [1]", "-1, 3, C3, [1024, False]",
    ]  # fmt: skip
    return described(backbone, [*rows, f"[17, 20, 23], 1, {head}"], V5_SCALES, 80, V5_ANCHORS)


def yolov5_of_2021(head: str = "Detect, [nc, anchors]") -> str:
    """YOLOv5 of version 5, with Focus at its beginning and SPP before its last C3."""
    text = yolov5(head)
    text = text.replace("-1, 1, Conv, [64, 6, 2, 2]", "-1, 1, Focus, [64, 3]")
    text = text.replace("-1, 6, C3, [256]", "-1, 9, C3, [256]")
    old = "  - [-1, 3, C3, [1024]]\n  - [-1, 1, SPPF, [1024, 5]]\n"
    return text.replace(old, "  - [-1, 1, SPP, [1024, [5, 9, 13]]]\n  - [-1, 3, C3, [1024, False]]\n")


def yolov3_spp() -> str:
    """YOLOv3 with pyramid pooling in the head."""
    return yolov3().replace("-1, 1, Conv, [512, 1, 1]", "-1, 1, SPP, [512, [5, 9, 13]]", 1)


def yolov3() -> str:
    """YOLOv3, with bottlenecks for Darknet's residual units."""
    backbone = ["-1, 1, Conv, [32, 3, 1]"]
    for width, number in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
        backbone += [f"-1, 1, Conv, [{width}, 3, 2]", f"-1, {number}, Bottleneck, [{width}]"]
    up = '-1, 1, nn.Upsample, [None, 2, "nearest"]'
    head = [
        "-1, 1, Bottleneck, [1024, False]", "-1, 1, Conv, [512, 1, 1]", "-1, 1, Conv, [1024, 3, 1]",
        "-1, 1, Conv, [512, 1, 1]", "-1, 1, Conv, [1024, 3, 1]",
        "-2, 1, Conv, [256, 1, 1]", up, "[-1, 8], 1, Concat, [1]", "-1, 1, Bottleneck, [512, False]",
        "-1, 1, Bottleneck, [512, False]", "-1, 1, Conv, [256, 1, 1]", "-1, 1, Conv, [512, 3, 1]",
        "-2, 1, Conv, [128, 1, 1]", up, "[-1, 6], 1, Concat, [1]", "-1, 1, Bottleneck, [256, False]",
        "-1, 2, Bottleneck, [256, False]", "[27, 22, 15], 1, Detect, [nc, anchors]",
    ]  # fmt: skip
    return described(backbone, head, more=f"depth_multiple: 1.0\nwidth_multiple: 1.0\n{V5_ANCHORS}")


def yolov3_tiny() -> str:
    """Tiny YOLOv3, whose fifth pool pads the lower right."""
    backbone = []
    for width in (16, 32, 64, 128, 256):
        backbone += [f"-1, 1, Conv, [{width}, 3, 1]", "-1, 1, nn.MaxPool2d, [2, 2, 0]"]
    backbone += ["-1, 1, Conv, [512, 3, 1]", "-1, 1, nn.ZeroPad2d, [[0, 1, 0, 1]]", "-1, 1, nn.MaxPool2d, [2, 1, 0]"]
    head = [
        "-1, 1, Conv, [1024, 3, 1]", "-1, 1, Conv, [256, 1, 1]", "-1, 1, Conv, [512, 3, 1]",
        "-2, 1, Conv, [128, 1, 1]", '-1, 1, nn.Upsample, [None, 2, "nearest"]', "[-1, 8], 1, Concat, [1]",
        "-1, 1, Conv, [256, 3, 1]", "[19, 15], 1, Detect, [nc, anchors]",
    ]  # fmt: skip
    anchors = "anchors:\n  - [10,14, 23,27, 37,58]\n  - [81,82, 135,169, 344,319]"
    return described(backbone, head, more=anchors)
