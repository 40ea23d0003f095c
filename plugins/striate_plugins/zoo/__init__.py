"""Architectures from the literature, written in the language itself; `use zoo.resnet` brings one in."""

from striate.plugin import FileRecord

_SUMMARIES = {
    "alexnet": "AlexNet (Krizhevsky, 2014), one tower.",
    "alexnet_2012": "AlexNet as published, grouped and not (Krizhevsky et al., 2012).",
    "convnext": "ConvNeXt, tiny to large (Liu et al., 2022).",
    "cspdarknet": "CSPDarknet-53 (Wang et al., 2019; Bochkovskiy et al., 2020).",
    "darknet": "Darknet-19 and -53 (Redmon and Farhadi, 2016 and 2018).",
    "densenet": "DenseNet-121 to -201 (Huang et al., 2016).",
    "efficientnet": "EfficientNet B0 to B7 (Tan and Le, 2019).",
    "efficientnet_v2": "EfficientNetV2, S to L (Tan and Le, 2021).",
    "ghostnet": "GhostNet in three widths (Han et al., 2020).",
    "googlenet": "GoogLeNet, Inception v1 (Szegedy et al., 2014).",
    "googlenet_bn": "GoogLeNet with batch norm, as torchvision trains it.",
    "inception_resnet_v2": "Inception-ResNet v2 (Szegedy et al., 2016).",
    "inception_v3": "Inception v3 (Szegedy et al., 2016).",
    "inception_v4": "Inception v4 (Szegedy et al., 2016).",
    "lenet5": "LeNet-5 (LeCun et al., 1998).",
    "lenet5_original": "LeNet-5 as published, with the table of C3 (LeCun et al., 1998).",
    "mnasnet": "MNASNet B1 in four widths (Tan et al., 2019).",
    "mobilenet_v1": "MobileNet in four widths (Howard et al., 2017).",
    "mobilenet_v2": "MobileNetV2 (Sandler et al., 2018).",
    "mobilenet_v3": "MobileNetV3, small and large (Howard et al., 2019).",
    "mobilevit": "MobileViT, XXS to S: convolutions and attention (Mehta and Rastegari, 2021).",
    "nin": "Network in network, for CIFAR-10 and for ImageNet (Lin et al., 2013).",
    "regnet": "RegNet X and Y, 400 million to 32 billion operations (Radosavovic et al., 2020).",
    "repvgg": "RepVGG A0 to B3, in the form for training (Ding et al., 2021).",
    "res2net": "Res2Net-50 and -101 (Gao et al., 2019).",
    "resnet": "ResNet-18 to -152 (He et al., 2015), the v1.5 form, Wide ResNet and ResNeXt.",
    "resnet_v1": "ResNet-50 to -152 as published (He et al., 2015), the stride in the first 1x1.",
    "resnet_v2": "ResNet-50 to -200 with norm and activation first, and for CIFAR (He et al., 2016).",
    "se_resnet": "SE-ResNet-18 to -152 and SE-ResNeXt (Hu et al., 2018).",
    "shufflenet_v1": "ShuffleNet with 1 to 8 groups (Zhang et al., 2017).",
    "shufflenet_v2": "ShuffleNet V2 in four widths (Ma et al., 2018).",
    "siamese": "Two images through one tower with shared weights.",
    "squeezenet": "SqueezeNet 1.0 and 1.1 (Iandola et al., 2016).",
    "textbook": "Small networks of a textbook and of lecture notes.",
    "unet": "U-Net (Ronneberger et al., 2015) with padded convolutions.",
    "vgg": "VGG-11 to -19, plain and with batch norm (Simonyan and Zisserman, 2014).",
    "vit": "Vision transformer, Ti to L (Dosovitskiy et al., 2020; Touvron et al., 2020).",
    "xception": "Xception (Chollet, 2017).",
    "zfnet": "ZFNet (Zeiler and Fergus, 2013).",
}

FILES = tuple(
    FileRecord(f"zoo.{name}", summary, "striate_plugins", f"zoo/{name}.cnn") for name, summary in _SUMMARIES.items()
)
