"""A ResNet in torch, exported to ONNX by torch itself: `export_torch.py 50|152 trace|dynamo FILE`.

The batch axis stays open. `trace` is the exporter that records one run, `dynamo` the one by way of torch.export, which
needs onnxscript; neither runs the file.
"""

import sys
import warnings

import torch
from torch_networks import DEPTHS, resnet

_, depth, exporter, path = sys.argv
warnings.simplefilter("ignore")
network = resnet(DEPTHS[depth]).eval()
images = torch.zeros(2, 3, 224, 224)
names = {"input_names": ["image"], "output_names": ["logits"]}
if exporter == "trace":
    axes = {"image": {0: "N"}, "logits": {0: "N"}}
    torch.onnx.export(network, (images,), path, dynamo=False, opset_version=17, dynamic_axes=axes, **names)
else:
    batch = torch.export.Dim("N")
    torch.onnx.export(
        network, (images,), path, dynamo=True, external_data=False, dynamic_shapes=({0: batch},), verbose=False, **names
    )
