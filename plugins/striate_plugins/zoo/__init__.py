"""Architectures from the literature, written in the language itself; `use zoo.resnet` brings one in."""

from striate.plugin import FileRecord

_SUMMARIES = {
    "densenet": "DenseNet-121 (Huang et al., 2016).",
    "googlenet": "GoogLeNet, Inception v1 (Szegedy et al., 2014).",
    "lenet5": "LeNet-5 (LeCun et al., 1998).",
    "mobilenet_v2": "MobileNetV2 (Sandler et al., 2018).",
    "resnet": "ResNet-18 to -152 (He et al., 2015), the v1.5 form.",
    "siamese": "Two images through one tower with shared weights.",
    "unet": "U-Net (Ronneberger et al., 2015) with padded convolutions.",
}

FILES = tuple(
    FileRecord(f"zoo.{name}", summary, "striate_plugins", f"zoo/{name}.cnn") for name, summary in _SUMMARIES.items()
)
