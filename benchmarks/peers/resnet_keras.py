"""ResNet-50 in Keras 3 on its torch backend, and the table of its layers by Keras itself."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
from keras import layers

keras.config.set_image_data_format("channels_first")


def conv_bn(x, out: int, kernel: int, stride: int = 1):
    """Return a convolution padded as in torch, and its norm."""
    if kernel > 1:
        x = layers.ZeroPadding2D(kernel // 2)(x)
    x = layers.Conv2D(out, kernel, stride, use_bias=False)(x)
    return layers.BatchNormalization(axis=1, epsilon=1e-5, momentum=0.9)(x)


def bottleneck(x, width: int, stride: int):
    """Return the unit of three convolutions with its shortcut."""
    y = layers.ReLU()(conv_bn(x, width, 1))
    y = layers.ReLU()(conv_bn(y, width, 3, stride))
    y = conv_bn(y, 4 * width, 1)
    shortcut = conv_bn(x, 4 * width, 1, stride) if x.shape[1] != 4 * width else x
    return layers.ReLU()(layers.Add()([y, shortcut]))


image = keras.Input((3, 224, 224))
x = layers.ReLU()(conv_bn(image, 64, 7, 2))
x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))
for width, depth, first in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]:
    for index in range(depth):
        x = bottleneck(x, width, first if index == 0 else 1)
x = layers.Dense(1000)(layers.GlobalAveragePooling2D()(x))
model = keras.Model(image, x)
model.summary(line_length=120)
assert model.count_params() == 25_557_032 + 53_120
