"""Hooks for what stands in a network's text: layers, files with blocks and architectures, heads and their tasks."""

from __future__ import annotations

from striate.host.markers import PluginContext, hookspec
from striate.host.records import FileRecord, HeadRecord, TaskRecord
from striate.ops.record import OpRecord


class NetworkHooks:
    """What networks are written with."""

    @hookspec
    def striate_layers(self, context: PluginContext) -> list[OpRecord]:  # type: ignore[empty-body]
        """Provide layers, written in a file like built-in ones: `conv(8, 3) -> scaled(2) -> relu`.

        When and how often. A record is used when a file has a layer name that is not built in. Its `settle`, `shape`
        and `weights` run once per call in the file (an editor: per change), `torch` once per forward pass and place in
        the network, `onnx` once per place and export. None may keep anything from one call for the next.

        Returned. `shape` gives a tuple of `TensorType`s, sizes without the batch axis, and may state conditions on open
        sizes through `check`; what cannot be is a `LayerError`. `torch` gives a tensor with the batch axis in front, or
        a tuple of as many as `shape` gives. `onnx` writes nodes into the sink and returns nothing. `samples` are calls
        that `striate plugins check` and the pages run.

        Checked. That every field is of its type, names are identifiers and arguments have summaries. Values are held to
        the arguments' kinds before a rule sees them. An exported layer is compared with ONNX Runtime on random input.

        On failure. A `LayerError` is told at the call with its help. Anything else that a rule raises is E0720, at the
        call, and names the layer; the other layers of the file are checked all the same.

        Example, `my_plugin.py`::

            from striate.plugin import Argument, OpRecord, Real, Sample, hookimpl

            def shape(attributes, inputs, check):
                return inputs

            def torch(call):
                return call.inputs[0] * call.attributes["by"]

            def onnx(call, sink):
                by = sink.constant(f"{call.name}/by", call.attributes["by"], "float32")
                sink.node("Mul", [call.inputs[0], by], call.outputs)

            @hookimpl
            def striate_layers(context):
                by = Argument("by", Real(), "What every entry is multiplied by.", 1.0)
                samples = (Sample({"by": 0.5}, ((4, 6, 6),)),)
                return [OpRecord("scaled", "Every entry times a number.", shape, torch, onnx, (by,), samples=samples)]
        """

    @hookspec
    def striate_files(self, context: PluginContext) -> list[FileRecord]:  # type: ignore[empty-body]
        r"""Provide files in the language, blocks and architectures for `use`: `use my.chain`.

        When and how often. A record is used when a file has a `use` statement with its name, of at least two parts, or
        `striate import --onto` names it. A file in the package (`package`, `resource`) is read once per run. An
        architecture that is generated has a builder instead: `build(**settings)` is called once per run and makes the
        text. The arguments are settled in the record, because the language has a better place for a reader's own ones,
        `model Net(depth = 3)`: a file that changed with every `use` would define one name in two ways.

        Returned. A builder returns the text of a `.cnn` file, always the same for the same settings, which may use
        other files of plugins by their names. Several records may share a builder with settings of their own.

        Checked. The text like every text: parsed, within the bounds of `docs/limits.md`, each layer by its rules. A
        file in a package may use its neighbours, never what lies outside of the package.

        On failure. A file that is not there or is no text is E0703, a builder that raises or takes too long E0720, one
        that returns no text E0721, all at the `use` statement; mistakes in the text are told in the text.

        Example, `my_plugin.py`::

            from striate.plugin import Factory, FileRecord, hookimpl

            def chain(layers):
                steps = "\n  ".join(f"conv({8 * (n + 1)}, 3, pad = half) -> relu" for n in range(layers))
                return f"block Chain{layers} {{\n  {steps}\n}}\n"

            @hookimpl
            def striate_files(context):
                build = Factory("my_plugin:chain")
                return [FileRecord(f"my.chain{n}", "A chain.", build=build, settings={"layers": n}) for n in (2, 4)]
        """

    @hookspec
    def striate_heads(self, context: PluginContext) -> list[HeadRecord]:  # type: ignore[empty-body]
        """Provide task heads: `head pixels(classes = 5)` ends a model in layers whose output a task decodes.

        When and how often. A record is used when a model has a `head` statement with its name; its block is elaborated
        once per model, like a block of the file. Nothing of the plugin's code runs for that.

        Returned. `block` is the text of a file with exactly one block, whose parameters are the head's arguments; the
        values named in the statement flow into it, its last value is the output, called `outputs[0]`. `task` names the
        `TaskRecord` by which `predict` and `eval` read that output. `objects` is the argument that says how large the
        objects are that the head is to find.

        Checked. That `outputs` holds names, each once. The block is checked like one of the file, with the arguments
        and the sizes that flow in; a mistake in it quotes the text under the name `source`.

        On failure. A mistake in the block is told at the `head` statement with the line of the block. A task that no
        plugin provides is E0405 when somebody wants an answer; checking, exporting and training do without.

        Example, `my_plugin.py`::

            from striate.plugin import Factory, HeadRecord, TaskRecord, hookimpl

            def decode(logits, classes):
                return [{"share_of_" + classes[0]: float((image.argmax(0) == 0).float().mean())} for image in logits]

            @hookimpl
            def striate_heads(context):
                block = "block Pixels(classes) { conv(classes, 1) }"
                return [HeadRecord("pixels", "A class per pixel.", block, "pixels.cnn", ("logits",), "coverage")]

            @hookimpl
            def striate_tasks(context):
                return [TaskRecord("coverage", "How much of an image has a class.", Factory("my_plugin:decode"))]
        """

    @hookspec
    def striate_tasks(self, context: PluginContext) -> list[TaskRecord]:  # type: ignore[empty-body]
        """Provide tasks: how the output of a network becomes an answer in words and numbers.

        When and how often. A record is used by `predict`, `eval` and `train`, when the model's head, its checkpoint or
        its data set names the task. `decode(outputs, classes)` is called once per batch of images.

        Returned. A list with one dictionary per image, in their order, of what JSON can hold. `class` and `probability`
        are what `predict` prints first; any further key is printed behind them. `report` names the pictures that
        `train` and `eval` draw: `confusion` is one.

        Checked. The record's fields. The outputs come as the network gives them, in float32, on the device that
        computed them: `N x classes`, or `N x classes x H x W` for a map. `classes` are the names in their order.

        On failure. What `decode` raises is E0720 with the plugin and the place in its code; no answer is printed.

        Example, `my_plugin.py`::

            from striate.plugin import Factory, TaskRecord, hookimpl

            def decode(logits, classes):
                answers = []
                for row in logits.softmax(1):
                    share, best = row.max(0)
                    sure = "sure" if share > 0.9 else "not sure"
                    answers.append({"class": classes[int(best)], "probability": float(share), "verdict": sure})
                return answers

            @hookimpl
            def striate_tasks(context):
                return [TaskRecord("verdict", "One class per image, sure or not.", Factory("my_plugin:decode"))]
        """
