"""When what is checked: a moment after the last keystroke, only ever the newest version, lints after a longer pause.

Checks run one at a time on a thread of their own, so that questions are answered meanwhile; one whose text has changed
is stopped.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from striate.editor.server.documents import Analysis, Document, Library, SupersededError

DEBOUNCE = 0.03
"""Seconds without a change after which a text is checked."""

SETTLE = 0.4
"""Seconds without a change after which it is linted too."""

PATIENCE = 2.0
"""Seconds that a question waits for the check of the text it is about; then it is answered by what is known."""

_STACK = 256 * 1024 * 1024
_log = logging.getLogger(__name__)
Result = TypeVar("Result")
Publish = Callable[[Document, Analysis], None]


class Schedule:
    """Checks the documents of a library and hands what was found to `publish`, in the thread of the event loop."""

    def __init__(self, library: Library, publish: Publish, refresh: Callable[[], None]) -> None:
        self._library = library
        self._publish = publish
        self._refresh = refresh
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ready: dict[str, asyncio.Event] = {}
        self._closed = False
        self._worker: ThreadPoolExecutor | None = None

    def touch(self, document: Document) -> None:
        """Check a document soon, instead of whatever was planned or is running for it."""
        uri = document.buffer.uri
        self.forget(uri)
        self._ready[uri] = asyncio.Event()
        self._tasks[uri] = asyncio.ensure_future(self._run(document, self._ready[uri]))

    def forget(self, uri: str) -> None:
        """Stop whatever is planned or running for a document."""
        task = self._tasks.pop(uri, None)
        if task is not None:
            task.cancel()
        waiting = self._ready.pop(uri, None)
        if waiting is not None:
            waiting.set()

    async def checked(self, document: Document) -> None:
        """Wait until the newest version is checked, but not for longer than `PATIENCE`."""
        waiting = self._ready.get(document.buffer.uri)
        if waiting is not None and not waiting.is_set():
            try:
                await asyncio.wait_for(waiting.wait(), PATIENCE)
            except TimeoutError:
                _log.info("answering before %s is checked", document.buffer.uri)

    async def apart(self, work: Callable[[], Result]) -> Result:
        """Do something long on the thread of the checks."""
        return await asyncio.get_running_loop().run_in_executor(self._threads(), work)

    def close(self) -> None:
        """Stop everything and wait for the thread."""
        self._closed = True
        for uri in list(self._tasks):
            self.forget(uri)
        if self._worker is not None:
            self._worker.shutdown(wait=True, cancel_futures=True)

    # ------------------------------------------------------------------------------------------ running

    async def _run(self, document: Document, ready: asyncio.Event) -> None:
        await asyncio.sleep(DEBOUNCE)
        try:
            analysis = await self._check(document, settled=False)
        finally:
            ready.set()
        if analysis is None:
            return
        self._publish(document, analysis)
        others = self._library.dependants(document)
        for other in others:
            await self._check_and_publish(other, settled=False)
        if others:
            self._refresh()
        await asyncio.sleep(SETTLE)
        for each in (document, *others):
            await self._check_and_publish(each, settled=True)
        await self.apart(gc.collect)

    async def _check_and_publish(self, document: Document, *, settled: bool) -> None:
        analysis = await self._check(document, settled=settled)
        if analysis is not None:
            self._publish(document, analysis)

    async def _check(self, document: Document, *, settled: bool) -> Analysis | None:
        """Check a document on the other thread; None where it has changed meanwhile, or checking failed."""
        source = document.source

        def is_current() -> bool:
            return document.source is source and not self._closed

        def work() -> Analysis:
            return self._library.check(document, settled=settled, is_current=is_current)

        try:
            analysis = await self.apart(work)
        except SupersededError:
            return None
        except Exception:  # a mistake of ours in a check must not end the server
            _log.exception("checking %s failed", document.buffer.uri)
            return None
        return analysis if is_current() and document.buffer.uri in self._library.documents else None

    def _threads(self) -> ThreadPoolExecutor:
        if self._worker is None:
            before = threading.stack_size(_STACK)  # nested bodies need a deep stack
            self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="check")
            self._worker.submit(int).result()
            threading.stack_size(before)
        return self._worker
