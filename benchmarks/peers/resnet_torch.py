"""ResNet-50 in torch, and the table of its layers by torchinfo, which runs an image of zeros through it."""

import torch
import torchinfo
from torch_networks import resnet

summary = torchinfo.summary(resnet(), (1, 3, 224, 224), device="cpu", depth=4, verbose=0)
print(summary)
assert summary.total_params == 25_557_032
assert torch.is_grad_enabled()
