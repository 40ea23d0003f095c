"""The checks of layers, in the order in which they are run: words, sizes, weights and costs, values, other runtimes."""

from __future__ import annotations

from striate.conformance.check import ARGUMENTS, DOCUMENTATION, Check

LAYERS = (
    DOCUMENTATION,
    ARGUMENTS,
    Check(
        "samples",
        "Samples are legal where they should be, refused where they say so, and show every argument.",
        "add Samples: two legal ones at least, one not square, each argument once, and one that fails",
        "schema:samples",
    ),
    Check(
        "rules",
        "Rules change nothing that they are given, and take the values that they settled on.",
        "return new values from settle, and leave attributes and inputs as they are",
        "layer_sizes:rules",
    ),
    Check(
        "shape-rule",
        "What the shape rule takes, torch computes to the very size.",
        "correct `shape`, or refuse by LayerError what the torch rule cannot compute",
        "layer_sizes:shape_rule",
    ),
    Check(
        "open-sizes",
        "The shape rule says the same of open sizes as of known ones.",
        "state every condition through `check`, and compute sizes from the sizes of the input only",
        "layer_sizes:open_sizes",
    ),
    Check(
        "parameters",
        "Every row of every declared weight is used, and nothing else is trained.",
        "make `weights` and `torch` agree on what is trained",
        "layer_weights:parameters",
    ),
    Check(
        "macs",
        "The multiply-adds are about those that torch does.",
        "give `macs` the multiply-adds of convolutions and products for one image (striate's convention: one each)",
        "layer_weights:macs",
    ),
    Check(
        "gradients",
        "Gradients are those of what is computed, in float64.",
        "compute by torch's own operations, or correct the backward of your autograd.Function",
        "layer_values:gradients",
    ),
    Check(
        "evaluation",
        "In evaluation nothing is random and nothing changes.",
        "do what is random, and update statistics, only where call.training is true",
        "layer_values:evaluation",
    ),
    Check(
        "training",
        "In training the result is finite and follows the seed, and only statistics change.",
        "draw from torch's generator, and write to weights with trainable=False only",
        "layer_values:training",
    ),
    Check(
        "batch",
        "An image gives the same alone and in a batch.",
        "treat axis 0 as the batch, and take means over other axes only",
        "layer_values:batches",
    ),
    Check(
        "save-load",
        "Saved and loaded weights compute the same; the layer keeps nothing else.",
        "keep everything that changes in declared weights",
        "layer_weights:save_load",
    ),
    Check(
        "lowering",
        "Memory order, precision, and the network around it change nothing.",
        "do not rely on contiguous memory (.view) or on float32",
        "layer_values:lowering",
    ),
    Check(
        "onnx",
        "ONNX Runtime computes what torch does, for every argument.",
        "make the ONNX rule compute what the torch rule does",
        "layer_onnx:onnx",
    ),
    Check(
        "composition",
        "In a network it compiles, trains and exports.",
        "try the network that is shown: striate check, and striate export, say more",
        "layer_networks:composition",
    ),
)
