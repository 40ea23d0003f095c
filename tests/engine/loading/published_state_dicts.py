"""The names and sizes of the tensors in published state dicts, and the script that wrote them down.

`published_state_dicts.txt.xz` is a text: for every network a line `# torchvision resnet18`, then a line per tensor, its
name and its sizes. Names and sizes are facts; the table spares the tests torchvision, whose binary must match torch's
build, and timm. To write it again, where both are installed:

    python -m tests.engine.loading.published_state_dicts torchvision timm

Counters (`num_batches_tracked`) are left out. GoogLeNet and Inception v3 are written with their auxiliary heads.
"""

from __future__ import annotations

import lzma
import sys
from functools import cache
from importlib import import_module
from math import prod
from pathlib import Path

TABLE = Path(__file__).with_name("published_state_dicts.txt.xz")
Shapes = dict[str, tuple[int, ...]]

NETWORKS: dict[tuple[str, str], tuple[tuple[str, ...], ...]] = {
    ("resnet", ""): (
        ("ResNet18", "torchvision resnet18", "timm resnet18"),
        ("ResNet34", "torchvision resnet34", "timm resnet34"),
        ("ResNet50", "torchvision resnet50", "timm resnet50"),
        ("ResNet101", "torchvision resnet101", "timm resnet101"),
        ("ResNet152", "torchvision resnet152", "timm resnet152"),
        ("WideResNet50_2", "torchvision wide_resnet50_2", "timm wide_resnet50_2"),
        ("WideResNet101_2", "torchvision wide_resnet101_2", "timm wide_resnet101_2"),
        ("ResNeXt50_32x4d", "torchvision resnext50_32x4d", "timm resnext50_32x4d"),
        ("ResNeXt101_32x8d", "torchvision resnext101_32x8d", "timm resnext101_32x8d"),
        ("ResNeXt101_64x4d", "torchvision resnext101_64x4d", "timm resnext101_64x4d"),
    ),
    ("densenet", ""): (
        ("DenseNet121", "torchvision densenet121", "timm densenet121"),
        ("DenseNet161", "torchvision densenet161", "timm densenet161"),
        ("DenseNet169", "torchvision densenet169", "timm densenet169"),
        ("DenseNet201", "torchvision densenet201", "timm densenet201"),
    ),
    ("googlenet_bn", "aux=true"): (("GoogLeNetBN", "torchvision googlenet"),),
    ("googlenet_bn", ""): (("GoogLeNetBN", "torchvision googlenet"),),
    ("inception_v3", "aux=true"): (("InceptionV3", "torchvision inception_v3"),),
    ("inception_v3", ""): (("InceptionV3", "torchvision inception_v3", "timm inception_v3"),),
    ("mobilenet_v2", ""): (("MobileNetV2", "torchvision mobilenet_v2", "timm mobilenetv2_100"),),
    ("mobilenet_v3", ""): (
        ("MobileNetV3Small", "torchvision mobilenet_v3_small"),
        ("MobileNetV3Large", "torchvision mobilenet_v3_large"),
    ),
    ("mobilenet_v3", "eps=1e-5"): (
        ("MobileNetV3Small", "timm mobilenetv3_small_100"),
        ("MobileNetV3Large", "timm mobilenetv3_large_100"),
    ),
    ("alexnet", ""): (("AlexNet", "torchvision alexnet"),),
    ("vgg", ""): (
        ("VGG11", "torchvision vgg11", "timm vgg11"),
        ("VGG13", "torchvision vgg13", "timm vgg13"),
        ("VGG16", "torchvision vgg16", "timm vgg16"),
        ("VGG19", "torchvision vgg19", "timm vgg19"),
        ("VGG11_BN", "torchvision vgg11_bn", "timm vgg11_bn"),
        ("VGG13_BN", "torchvision vgg13_bn", "timm vgg13_bn"),
        ("VGG16_BN", "torchvision vgg16_bn", "timm vgg16_bn"),
        ("VGG19_BN", "torchvision vgg19_bn", "timm vgg19_bn"),
    ),
    ("squeezenet", ""): (
        ("SqueezeNet1_0", "torchvision squeezenet1_0"),
        ("SqueezeNet1_1", "torchvision squeezenet1_1"),
    ),
    ("mnasnet", ""): (
        ("MNASNet0_5", "torchvision mnasnet0_5"),
        ("MNASNet0_75", "torchvision mnasnet0_75"),
        ("MNASNet1_0", "torchvision mnasnet1_0", "timm mnasnet_100"),
        ("MNASNet1_3", "torchvision mnasnet1_3"),
    ),
    ("shufflenet_v2", ""): (
        ("ShuffleNetV2_x0_5", "torchvision shufflenet_v2_x0_5"),
        ("ShuffleNetV2_x1_0", "torchvision shufflenet_v2_x1_0"),
        ("ShuffleNetV2_x1_5", "torchvision shufflenet_v2_x1_5"),
        ("ShuffleNetV2_x2_0", "torchvision shufflenet_v2_x2_0"),
    ),
    ("efficientnet", ""): (
        ("EfficientNetB0", "torchvision efficientnet_b0", "timm efficientnet_b0"),
        ("EfficientNetB1", "torchvision efficientnet_b1", "timm efficientnet_b1"),
        ("EfficientNetB2", "torchvision efficientnet_b2", "timm efficientnet_b2"),
        ("EfficientNetB3", "torchvision efficientnet_b3", "timm efficientnet_b3"),
        ("EfficientNetB4", "torchvision efficientnet_b4", "timm efficientnet_b4"),
        ("EfficientNetB5", "torchvision efficientnet_b5"),
        ("EfficientNetB6", "torchvision efficientnet_b6"),
        ("EfficientNetB7", "torchvision efficientnet_b7"),
    ),
    ("efficientnet", "eps=1e-5"): (("EfficientNetB5", "timm efficientnet_b5"),),
    ("efficientnet_v2", ""): (
        ("EfficientNetV2S", "torchvision efficientnet_v2_s"),
        ("EfficientNetV2M", "torchvision efficientnet_v2_m"),
        ("EfficientNetV2L", "torchvision efficientnet_v2_l"),
    ),
    ("regnet", ""): (
        ("RegNetX_400MF", "torchvision regnet_x_400mf"),
        ("RegNetX_800MF", "torchvision regnet_x_800mf", "timm regnetx_008"),
        ("RegNetX_1_6GF", "torchvision regnet_x_1_6gf", "timm regnetx_016"),
        ("RegNetX_3_2GF", "torchvision regnet_x_3_2gf", "timm regnetx_032"),
        ("RegNetX_8GF", "torchvision regnet_x_8gf", "timm regnetx_080"),
        ("RegNetX_16GF", "torchvision regnet_x_16gf", "timm regnetx_160"),
        ("RegNetX_32GF", "torchvision regnet_x_32gf", "timm regnetx_320"),
        ("RegNetY_400MF", "torchvision regnet_y_400mf", "timm regnety_004"),
        ("RegNetY_800MF", "torchvision regnet_y_800mf"),
        ("RegNetY_1_6GF", "torchvision regnet_y_1_6gf", "timm regnety_016"),
        ("RegNetY_3_2GF", "torchvision regnet_y_3_2gf", "timm regnety_032"),
        ("RegNetY_8GF", "torchvision regnet_y_8gf"),
        ("RegNetY_16GF", "torchvision regnet_y_16gf", "timm regnety_160"),
        ("RegNetY_32GF", "torchvision regnet_y_32gf", "timm regnety_320"),
    ),
    ("convnext", ""): (
        ("ConvNeXtTiny", "torchvision convnext_tiny", "timm convnext_tiny"),
        ("ConvNeXtSmall", "torchvision convnext_small", "timm convnext_small"),
        ("ConvNeXtBase", "torchvision convnext_base", "timm convnext_base"),
        ("ConvNeXtLarge", "torchvision convnext_large", "timm convnext_large"),
    ),
    ("inception_v4", ""): (("InceptionV4", "timm inception_v4"),),
    ("inception_resnet_v2", ""): (("InceptionResNetV2", "timm inception_resnet_v2"),),
    ("resnet_v2", ""): (
        ("ResNetV2_50", "timm resnetv2_50"),
        ("ResNetV2_101", "timm resnetv2_101"),
        ("ResNetV2_152", "timm resnetv2_152"),
    ),
    ("se_resnet", ""): (
        ("SEResNet18", "timm seresnet18"),
        ("SEResNet34", "timm seresnet34"),
        ("SEResNet50", "timm seresnet50"),
        ("SEResNet101", "timm seresnet101"),
        ("SEResNet152", "timm seresnet152"),
        ("SEResNeXt50_32x4d", "timm seresnext50_32x4d"),
        ("SEResNeXt101_32x4d", "timm seresnext101_32x4d"),
    ),
    ("res2net", ""): (
        ("Res2Net50_26w4s", "timm res2net50_26w_4s"),
        ("Res2Net50_48w2s", "timm res2net50_48w_2s"),
        ("Res2Net50_14w8s", "timm res2net50_14w_8s"),
        ("Res2Net50_26w6s", "timm res2net50_26w_6s"),
        ("Res2Net50_26w8s", "timm res2net50_26w_8s"),
        ("Res2Net101_26w4s", "timm res2net101_26w_4s"),
    ),
    ("xception", ""): (("Xception", "timm legacy_xception"),),
    ("mobilenet_v1", "act=relu6"): (("MobileNetV1_100", "timm mobilenetv1_100"),),
    ("ghostnet", ""): (
        ("GhostNet_050", "timm ghostnet_050"),
        ("GhostNet_100", "timm ghostnet_100"),
        ("GhostNet_130", "timm ghostnet_130"),
    ),
    ("repvgg", ""): (
        ("RepVGG_A0", "timm repvgg_a0"),
        ("RepVGG_A1", "timm repvgg_a1"),
        ("RepVGG_A2", "timm repvgg_a2"),
        ("RepVGG_B0", "timm repvgg_b0"),
        ("RepVGG_B1", "timm repvgg_b1"),
        ("RepVGG_B1g4", "timm repvgg_b1g4"),
        ("RepVGG_B2", "timm repvgg_b2"),
        ("RepVGG_B2g4", "timm repvgg_b2g4"),
        ("RepVGG_B3", "timm repvgg_b3"),
        ("RepVGG_B3g4", "timm repvgg_b3g4"),
    ),
    ("darknet", "slope=0.01"): (("Darknet53", "timm darknet53"),),
    ("cspdarknet", "act=leaky_relu"): (("CSPDarknet53", "timm cspdarknet53"),),
    ("vit", ""): (
        ("ViT_Ti16", "timm vit_tiny_patch16_224", "timm deit_tiny_patch16_224"),
        ("ViT_S16", "timm vit_small_patch16_224"),
        ("ViT_B16", "torchvision vit_b_16", "timm vit_base_patch16_224"),
        ("ViT_B32", "torchvision vit_b_32", "timm vit_base_patch32_224"),
        ("ViT_L16", "torchvision vit_l_16", "timm vit_large_patch16_224"),
    ),
    ("mobilevit", ""): (
        ("MobileViT_XXS", "timm mobilevit_xxs"),
        ("MobileViT_XS", "timm mobilevit_xs"),
        ("MobileViT_S", "timm mobilevit_s"),
    ),
}
"""The networks of a file of the zoo, with a parameter that is set: the model, and which state dicts are its weights."""


@cache
def published() -> dict[str, Shapes]:
    """The tensors of every state dict by name."""
    found: dict[str, Shapes] = {}
    tensors: Shapes = {}
    for line in lzma.decompress(TABLE.read_bytes()).decode().splitlines():
        name, *sizes = line.split()
        if name == "#":
            tensors = found.setdefault(" ".join(sizes), {})
        else:
            tensors[name] = tuple(map(int, sizes))
    return found


def parameters(shapes: Shapes) -> int:
    """The number of trainable parameters."""
    statistics = ("running_mean", "running_var")
    return sum(prod(shape) for name, shape in shapes.items() if not name.endswith(statistics))


def _made(library: str, name: str) -> Shapes:
    """Build a network and ask for its state dict; the numbers are of no interest."""
    if library == "timm":
        with import_module("torch").device("meta"):
            network = import_module("timm").create_model(name, pretrained=False)
    else:
        heads = {"aux_logits": True, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
        network = getattr(import_module("torchvision.models"), name)(weights=None, **heads)
    state = network.state_dict()
    return {key: tuple(item.shape) for key, item in state.items() if not key.endswith("num_batches_tracked")}


def main(libraries: list[str]) -> int:
    """Write the table."""
    wanted = dict.fromkeys(name for rows in NETWORKS.values() for _, *names in rows for name in names)
    lines = []
    for name in wanted:
        library, network = name.split()
        shapes = _made(library, network) if library in libraries else published()[name]
        lines += [f"# {name}", *(" ".join([key, *map(str, shape)]) for key, shape in shapes.items())]
    TABLE.write_bytes(lzma.compress(("\n".join(lines) + "\n").encode(), preset=9 | lzma.PRESET_EXTREME))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
