"""TorchScript: `torch.jit.trace` records the network on an example, in evaluation, with its weights under their names.

What a layer works out in Python from the size of a tensor is recorded as a number, and then holds for that size alone;
comparing the file at other sizes shows it.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping

import torch

from striate.formats.subject import Arrays, Converted, RefusedError, Subject
from striate.formats.tensors import arrays_of, tensors_of
from striate.lower.torch.traceable import Traceable

DESCRIPTION = "striate.json"
"""The name of the extra file with what the file says of itself."""


def convert(subject: Subject, entries: Mapping[str, str]) -> Converted:
    """Trace the network, and load the file back.

    Raises:
        RefusedError: torch cannot trace it.
    """
    program = Traceable(subject.graph, subject.lookup, subject.arrays, subject.ends)
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # what they warn of is found by comparing at other sizes
        try:
            traced = torch.jit.trace(  # type: ignore[no-untyped-call]
                program, tensors_of(subject.graph, subject.example), strict=False, check_trace=False
            )
            torch.jit.save(traced, buffer, _extra_files={DESCRIPTION: json.dumps(dict(entries))})
        except Exception as error:
            raise RefusedError(str(error)) from error
        content = buffer.getvalue()
        loaded = torch.jit.load(io.BytesIO(content), map_location="cpu").eval()  # type: ignore[no-untyped-call]

    def run(inputs: Arrays) -> Arrays:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            try:
                return arrays_of(subject.outputs, loaded(*tensors_of(subject.graph, inputs)))
            except RuntimeError as error:  # its first line is about the interpreter, its last one about the network
                raise RuntimeError(str(error).strip().splitlines()[-1].removeprefix("RuntimeError: ")) from error

    return Converted({".pt": content}, run, f"TorchScript of torch {torch.__version__}")
