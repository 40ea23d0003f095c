"""Starting and ending the server, over stdin and stdout or a socket."""

from __future__ import annotations

import gc
import logging
import os
import sys
from typing import BinaryIO

from striate.editor.server.features import register
from striate.editor.server.serving import Server


def serve(tcp: tuple[str, int] | None = None) -> int:
    """Serve one editor until it leaves; return the exit code, 1 where it left without saying so.

    Over stdin and stdout, nothing else can write to the editor: what a plugin prints goes to stderr.
    """
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="striate lsp: %(message)s")
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # it writes refusals with tracebacks; ours go to our log
    server = Server()
    register(server)
    gc.disable()  # collected in pauses instead, by the schedule
    try:
        if tcp is not None:
            server.start_tcp(*tcp)
        else:
            server.start_io(*_streams())
    finally:
        server.schedule.close()
    return 0 if server.protocol._shutdown else 1


def _streams() -> tuple[BinaryIO, BinaryIO]:
    """Return stdin and stdout for the protocol alone: in their place are nothing and stderr."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    sys.stdout.flush()
    try:
        os.dup2(2, 1)
    except OSError:  # there is no stderr
        os.dup2(nothing, 1)
    os.close(nothing)
    sys.stdout = sys.stderr
    return incoming, outgoing
