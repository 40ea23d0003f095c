"""Facts about the machine and the software that a run was made with, for its report."""

from __future__ import annotations

import os
import platform

import torch

from striate.train.description import software
from striate.train.devices import device_name


def environment(device: torch.device) -> dict[str, str]:
    """Return facts by name; nothing that says whose machine it is."""
    facts = {"device": device_name(device), "processors": str(os.cpu_count()), "threads": str(torch.get_num_threads())}
    facts["system"] = f"{platform.system()} {platform.machine()}"
    return facts | software(("torch", "lightning", "torchmetrics", "numpy", "scikit-learn"))
