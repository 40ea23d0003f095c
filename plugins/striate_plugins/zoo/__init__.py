"""Architectures from the literature, written in the language itself; `use zoo.resnet` brings one in."""

from striate.plugin import FileRecord

_SUMMARIES = {
    "alexnet": "AlexNet (Krizhevsky, 2014), one tower.",
    "convnext": "ConvNeXt, tiny to large (Liu et al., 2022).",
    "densenet": "DenseNet-121 to -201 (Huang et al., 2016).",
    "efficientnet": "EfficientNet B0 to B7 (Tan and Le, 2019).",
    "efficientnet_v2": "EfficientNetV2, S to L (Tan and Le, 2021).",
    "googlenet": "GoogLeNet, Inception v1 (Szegedy et al., 2014).",
    "googlenet_bn": "GoogLeNet with batch norm, as torchvision trains it.",
    "inception_v3": "Inception v3 (Szegedy et al., 2016).",
    "lenet5": "LeNet-5 (LeCun et al., 1998).",
    "mnasnet": "MNASNet B1 in four widths (Tan et al., 2019).",
    "mobilenet_v2": "MobileNetV2 (Sandler et al., 2018).",
    "mobilenet_v3": "MobileNetV3, small and large (Howard et al., 2019).",
    "regnet": "RegNet X and Y, 400 million to 32 billion operations (Radosavovic et al., 2020).",
    "resnet": "ResNet-18 to -152 (He et al., 2015), the v1.5 form, Wide ResNet and ResNeXt.",
    "shufflenet_v2": "ShuffleNet V2 in four widths (Ma et al., 2018).",
    "siamese": "Two images through one tower with shared weights.",
    "squeezenet": "SqueezeNet 1.0 and 1.1 (Iandola et al., 2016).",
    "unet": "U-Net (Ronneberger et al., 2015) with padded convolutions.",
    "vgg": "VGG-11 to -19, plain and with batch norm (Simonyan and Zisserman, 2014).",
}

FILES = tuple(
    FileRecord(f"zoo.{name}", summary, "striate_plugins", f"zoo/{name}.cnn") for name, summary in _SUMMARIES.items()
)
