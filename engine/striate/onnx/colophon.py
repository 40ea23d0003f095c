"""What an exported file says about itself: the model, its fingerprint, the sizes it takes, its classes, its origin.

Written as the `metadata_props` of the ONNX model, all names with `striate.` in front, lists and tables as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from striate.graph import Graph, fingerprint
from striate.onnx.document import Colophon


def describe(
    graph: Graph,
    version: str,
    domain: Sequence[str],
    weights: str,
    verified: str,
    class_names: Sequence[str] | None = None,
    pixels: Mapping[str, Mapping[str, Any]] | None = None,
    tensor_cores: str | None = None,
    text: str = "",
    plugins: Mapping[str, Mapping[str, str]] | None = None,
) -> Colophon:
    """Return what the file of a network says about itself.

    Args:
        graph: the network as elaborated, whose fingerprint its checkpoints carry.
        version: the version of striate.
        domain: the legal input sizes in words, one sentence each.
        weights: where the weights are from, in words.
        verified: how the file was verified, or that it was not.
        class_names: the names of the classes, in the order of the logits.
        pixels: the pixel contract by input, where the weights were trained with another one than the file states.
        tensor_cores: the arithmetic of tensor cores that the file is made for.
        text: the network as a `.cnn` file, where the file is to carry it.
        plugins: the plugins that the network and its weights used, see `striate.runtime.provenance`.
    """
    contracts = pixels or {item.value.name: item.contract for item in graph.inputs if item.contract}
    entries = {
        "model": graph.name,
        "version": version,
        "fingerprint": fingerprint(graph),
        "weights": weights,
        "verified": verified,
        "domain": "\n".join(domain),
        "classes": json.dumps(list(class_names), ensure_ascii=False) if class_names else "",
        "inputs": json.dumps(contracts, sort_keys=True, default=str) if contracts else "",
        "tensor_cores": tensor_cores or "",
        "text": text,
        "plugins": json.dumps(plugins, sort_keys=True) if plugins else "",
    }
    return Colophon(
        producer="striate",
        version=version,
        sentence=f"{graph.name}: {graph.parameters:,} parameters, {weights}",
        entries={f"striate.{name}": text for name, text in entries.items() if text},
    )
