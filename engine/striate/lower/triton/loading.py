"""From source to functions: Triton's compiler for graphics processors, its interpreter for tests without one."""

from __future__ import annotations

import hashlib
import linecache
from types import ModuleType
from typing import Any

from striate.lower.triton.kernel import Kernel


def load(kernel: Kernel, *, interpret: bool = False) -> Any:
    """Return the function of a kernel, to be called as `function[grid](…)`.

    Args:
        kernel: the kernel.
        interpret: whether it runs in Triton's interpreter, on tensors in ordinary memory.
    """
    import triton  # noqa: PLC0415  # takes a tenth of a second

    key = hashlib.sha256(kernel.source.encode()).hexdigest()[:16]
    name = f"striate_kernel_{key}"
    file = f"<{name}>"
    # Triton reads a function's lines again, which it finds here as if they were in a file.
    linecache.cache[file] = (len(kernel.source), None, kernel.source.splitlines(keepends=True), file)
    module = ModuleType(name)
    before = triton.knobs.runtime.interpret
    triton.knobs.runtime.interpret = interpret
    try:
        exec(compile(kernel.source, file, "exec"), module.__dict__)  # source that was made here
    finally:
        triton.knobs.runtime.interpret = before
    return getattr(module, kernel.name)
