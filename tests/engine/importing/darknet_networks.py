"""Darknet's networks as cfg files, made from the tables of the papers: widths, kernels, strides and repetitions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

VOC, COCO = 20, 80
ANCHORS = "10,13, 16,30, 33,23, 30,61, 62,45, 59,119, 116,90, 156,198, 373,326"


class Cfg:
    """A cfg that is written section by section.

    Args:
        size: height and width of the input.
        act: the activation of convolutions with batch norm.
    """

    def __init__(self, size: int, act: str = "leaky") -> None:
        self.parts = [f"[net]\nbatch=64\nwidth={size}\nheight={size}\nchannels=3\nmomentum=0.9\n"]
        self.act = act

    @property
    def count(self) -> int:
        """How many layers there are."""
        return len(self.parts) - 1

    def add(self, kind: str, **options: object) -> int:
        """Add a section; returns its number."""
        lines = [f"{key.rstrip('_')}={value}" for key, value in options.items()]
        self.parts.append("\n".join([f"[{kind}]", *lines, ""]))
        return self.count - 1

    def conv(self, filters: int, size: int = 3, stride: int = 1, act: str | None = None, **more: object) -> int:
        """Add a convolution with batch norm."""
        return self.add(
            "convolutional", batch_normalize=1, filters=filters, size=size, stride=stride, pad=1,
            activation=act or self.act, **more,
        )  # fmt: skip

    def linear(self, filters: int, size: int = 1) -> int:
        """Add a convolution with a bias and nothing behind it."""
        return self.add("convolutional", filters=filters, size=size, stride=1, pad=1, activation="linear")

    def pool(self, size: int = 2, stride: int = 2) -> int:
        """Add a maximum pool."""
        return self.add("maxpool", size=size, stride=stride)

    def route(self, *layers: int, **more: object) -> int:
        """Add a route."""
        return self.add("route", layers=", ".join(map(str, layers)), **more)

    def residual(self, few: int, many: int) -> int:
        """Add two convolutions and what they are added to."""
        self.conv(few, 1)
        self.conv(many)
        return self.add("shortcut", from_=-3, activation="linear")

    def yolo(self, mask: Sequence[int], classes: int = COCO, num: int = 9, anchors: str = ANCHORS) -> int:
        """Add the convolution that makes the map of a head, and the head."""
        self.linear(len(mask) * (classes + 5))
        return self.add("yolo", mask=",".join(map(str, mask)), anchors=anchors, classes=classes, num=num, jitter=0.3)

    def pair(self, few: int, many: int, times: int) -> None:
        """Add convolutions of one pixel and of three in turn."""
        for _ in range(times):
            self.conv(few, 1)
            self.conv(many)

    @property
    def text(self) -> str:
        """The file."""
        return "\n".join(self.parts)


def _darknet19(net: Cfg) -> int:
    """Add the 18 convolutions of Darknet-19 (Redmon and Farhadi, 2017, table 6); returns the last of 512 channels."""
    net.conv(32)
    net.pool()
    net.conv(64)
    fine = 0
    for width, times in ((128, 1), (256, 1), (512, 2), (1024, 2)):
        net.pool()
        net.conv(width)
        for _ in range(times):
            net.conv(width // 2, 1)
            fine_here = net.conv(width)
        fine = fine_here if width == 512 else fine
    return fine


def darknet19(size: int = 256) -> str:
    """Darknet-19 with its 1000 classes."""
    net = Cfg(size)
    _darknet19(net)
    net.linear(1000)
    net.add("avgpool")
    net.add("softmax", groups=1)
    net.add("cost", type="sse")
    return net.text


def yolov2(size: int = 608, classes: int = COCO) -> str:
    """YOLOv2: Darknet-19, two convolutions, and the finer map through 64 channels and reorg."""
    net = Cfg(size)
    fine = _darknet19(net)
    net.conv(1024)
    deep = net.conv(1024)
    net.route(fine)
    net.conv(64, 1)
    net.add("reorg", stride=2)
    net.route(-1, deep)
    net.conv(1024)
    net.linear(5 * (classes + 5))
    net.add("region", anchors="0.57, 0.68, 1.87, 2.06, 3.34, 5.47, 7.88, 3.53, 9.77, 9.17", num=5, classes=classes)
    return net.text


def tiny_yolov2(size: int = 416, classes: int = VOC) -> str:
    """Tiny YOLOv2: nine convolutions, the fifth pool with a stride of 1."""
    net = Cfg(size)
    for width in (16, 32, 64, 128, 256):
        net.conv(width)
        net.pool()
    net.conv(512)
    net.pool(2, 1)
    net.conv(1024)
    net.conv(1024)
    net.linear(5 * (classes + 5))
    net.add("region", anchors="1.08,1.19, 3.42,4.41, 6.63,11.38, 9.42,5.11, 16.62,10.52", num=5, classes=classes)
    return net.text


def _darknet53(net: Cfg) -> list[int]:
    """Add the 52 convolutions of Darknet-53 (Redmon and Farhadi, 2018, table 1); returns the ends of its stages."""
    net.conv(32)
    ends = []
    for width, times in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
        net.conv(width, 3, 2)
        for _ in range(times):
            end = net.residual(width // 2, width)
        ends.append(end)
    return ends


def darknet53(size: int = 256) -> str:
    """Darknet-53 with its 1000 classes."""
    net = Cfg(size)
    _darknet53(net)
    net.add("avgpool")
    net.linear(1000)
    net.add("softmax", groups=1)
    return net.text


def yolov3(size: int = 416, classes: int = COCO) -> str:
    """YOLOv3: three heads on Darknet-53."""
    net = Cfg(size)
    _, _, fine, middle, _ = _darknet53(net)
    for width, mask, joined in ((512, (6, 7, 8), None), (256, (3, 4, 5), middle), (128, (0, 1, 2), fine)):
        if joined is not None:
            net.route(-4)
            net.conv(width, 1)
            net.add("upsample", stride=2)
            net.route(-1, joined)
        net.pair(width, 2 * width, 3)
        net.yolo(mask, classes)
    return net.text


def tiny_yolov3(size: int = 416, classes: int = COCO) -> str:
    """Tiny YOLOv3: two heads."""
    net = Cfg(size)
    for width in (16, 32, 64, 128):
        net.conv(width)
        net.pool()
    fine = net.conv(256)
    net.pool()
    net.conv(512)
    net.pool(2, 1)
    net.conv(1024)
    net.conv(256, 1)
    net.conv(512)
    net.yolo((3, 4, 5), classes, 6)
    net.route(-4)
    net.conv(128, 1)
    net.add("upsample", stride=2)
    net.route(-1, fine)
    net.conv(256)
    net.yolo((0, 1, 2), classes, 6)
    return net.text


def _halves(net: Cfg, width: int) -> int:
    """Add a stage of YOLOv4-tiny; returns the layer before its last route."""
    net.conv(width)
    net.route(-1, groups=2, group_id=1)
    net.conv(width // 2)
    net.conv(width // 2)
    net.route(-1, -2)
    last = net.conv(width, 1)
    net.route(-6, -1)
    net.pool()
    return last


def yolov4_tiny(size: int = 416, classes: int = COCO) -> str:
    """YOLOv4-tiny: three stages that take half of their channels, two heads."""
    net = Cfg(size)
    net.conv(32, 3, 2)
    net.conv(64, 3, 2)
    fine = 0
    for width in (64, 128, 256):
        fine = _halves(net, width)
    net.conv(512)
    net.conv(256, 1)
    net.conv(512)
    net.yolo((3, 4, 5), classes, 6)
    net.route(-4)
    net.conv(128, 1)
    net.add("upsample", stride=2)
    net.route(-1, fine)
    net.conv(256)
    net.yolo((1, 2, 3), classes, 6)
    return net.text


def _cross_stage(net: Cfg, width: int, times: int, few: int, inner: int) -> int:
    """Add a stage of CSPDarknet-53; returns its end."""
    net.conv(width, 3, 2)
    first = net.conv(few, 1)
    net.route(-2)
    net.conv(few, 1)
    for _ in range(times):
        net.residual(inner, few)
    net.conv(few, 1)
    net.route(-1, first)
    return net.conv(width, 1)


def yolov4(size: int = 608, classes: int = COCO) -> str:
    """YOLOv4: CSPDarknet-53 with mish, pyramid pooling, a way up and a way down (Bochkovskiy et al., 2020)."""
    net = Cfg(size, "mish")
    net.conv(32)
    ends = [_cross_stage(net, 64, 1, 64, 32)]
    for width, times in ((128, 2), (256, 8), (512, 8), (1024, 4)):
        ends.append(_cross_stage(net, width, times, width // 2, width // 2))
    net.act = "leaky"
    net.pair(512, 1024, 1)
    net.conv(512, 1)
    net.pool(5, 1)
    net.route(-2)
    net.pool(9, 1)
    net.route(-4)
    net.pool(13, 1)
    net.route(-1, -3, -5, -6)
    net.conv(512, 1)
    net.conv(1024)
    tops = [net.conv(512, 1)]
    for width, end in ((256, ends[3]), (128, ends[2])):
        net.conv(width, 1)
        up = net.add("upsample", stride=2)
        net.route(end)
        net.conv(width, 1)
        net.route(-1, up)
        net.pair(width, 2 * width, 2)
        tops.append(net.conv(width, 1))
    net.conv(256)
    net.yolo((0, 1, 2), classes)
    for width, top, mask in ((256, tops[1], (3, 4, 5)), (512, tops[0], (6, 7, 8))):
        net.route(-4)
        net.conv(width, 3, 2)
        net.route(-1, top)
        net.pair(width, 2 * width, 3)
        net.yolo(mask, classes)
    return net.text


def resnet(size: int = 64, depths: Iterable[int] = (2, 2), act: str = "leaky") -> str:
    """Bottleneck units; those that change the width have a convolution on the straight way."""
    net = Cfg(size, act)
    net.conv(8, 7, 2)
    net.pool()
    for stage, depth in enumerate(depths):
        width = 8 * 2**stage
        for unit in range(depth):
            start = net.count - 1
            net.conv(width, 1)
            net.conv(width, 3, 2 if unit == 0 and stage else 1)
            end = net.conv(4 * width, 1, act="linear")
            if unit == 0:
                net.route(start)
                net.conv(4 * width, 1, 2 if stage else 1, act="linear")
                net.add("shortcut", from_=end, activation=act)
            else:
                net.add("shortcut", from_=start, activation=act)
    net.add("avgpool")
    net.add("connected", output=10, activation="linear")
    net.add("softmax")
    return net.text
