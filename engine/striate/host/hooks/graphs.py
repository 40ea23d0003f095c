"""Hooks for what is done with a whole network: passes, back ends, and files of other programs, written and read."""

from __future__ import annotations

from striate.host.markers import PluginContext, hookspec
from striate.host.work_records import BackendRecord, ExporterRecord, ImporterRecord, PassRecord


class GraphHooks:
    """What rewrites, runs, writes and reads networks."""

    @hookspec
    def striate_passes(self, context: PluginContext) -> list[PassRecord]:  # type: ignore[empty-body]
        """Provide passes, rewrites of a network before it is written: `striate export --pass one_relu`.

        When and how often. A pass runs once per export that asks for it, by `--pass NAME` or in the file by
        `export { passes = [one_relu] }`, in the order asked for. At `before_folding` it sees the layers as they are
        written, without those that do nothing in evaluation; at `after_folding` what `--fold` has left.

        Returned. `rewrite(network)` is given a `striate.factories.Network` (graph, weights by name, the legal sizes)
        and returns one, best by `dataclasses.replace`. It must compute the same. Nodes that are kept keep their names
        and origins; new ones take the origin of what they stand for. The given network stays as it is.

        Checked. That the network given is untouched; that the one returned is well formed, has the same inputs and
        outputs, an array in float32 for every weight, and only nodes that their layers' rules agree with; and, unless
        `--no-verify` is given, that it computes the same in torch on random inputs at several sizes.

        On failure. No file is written. E0720 (it raised), E0721 (it broke one of these terms) and E0723 (it computes
        something else) name the pass and the plugin.

        Example, `my_plugin.py`::

            from dataclasses import replace

            from striate.plugin import Factory, PassRecord, hookimpl

            def one_relu(network):
                instead, kept = {}, []
                rectified = {node.outputs[0].name for node in network.graph.nodes if node.op == "relu"}
                for node in network.graph.nodes:
                    inputs = tuple(instead.get(name, name) for name in node.inputs)
                    if node.op == "relu" and inputs[0] in rectified:
                        instead[node.outputs[0].name] = inputs[0]
                    else:
                        kept.append(replace(node, inputs=inputs))
                outputs = {name: instead.get(value, value) for name, value in network.graph.outputs.items()}
                return replace(network, graph=network.graph.with_nodes(tuple(kept), outputs))

            @hookimpl
            def striate_passes(context):
                return [PassRecord("one_relu", "One relu where several follow.", Factory("my_plugin:one_relu"))]
        """

    @hookspec
    def striate_backends(self, context: PluginContext) -> list[BackendRecord]:  # type: ignore[empty-body]
        """Provide back ends, what runs a network instead of torch: `striate predict --backend in_double`.

        When and how often. The factory is called once per network that `predict` or `eval` with `--backend NAME` or, in
        Python, `Model.runner(backend = NAME)` asks for; the function that it returns once per batch, with any batch
        size and any legal input size.

        Returned. The factory is given a `striate.factories.Network` for evaluation; `onnx_bytes` and `torch_program`
        there turn it into what many runtimes start from. It returns a function from arrays by input name, float32 with
        the batch axis in front, to arrays by output name. Whatever it keeps, weights or a session, lives as long.

        Checked. That a function comes back, and an array for every output. Before the first real input the results are
        compared with torch's on random inputs, at batch 1 and 3 and two image sizes where sizes are open: they must
        agree to the record's `tolerance`, a share of an output's largest entry.

        On failure. E0720 (it raised), E0721 (an output is missing) and E0723 (other results than torch) name the back
        end and the plugin. Nothing falls back to torch unasked. A package that is missing is named with the extra that
        the manifest gives for it.

        Example, `my_plugin.py`::

            from striate.plugin import BackendRecord, Factory, hookimpl

            def in_double(network):
                import torch
                from striate.factories import torch_program

                program, outputs = torch_program(network).double(), list(network.graph.outputs)
                names = [item.value.name for item in network.graph.inputs]

                def run(arrays):
                    with torch.inference_mode():
                        given = program(*(torch.from_numpy(arrays[name]).double() for name in names))
                    named = given if isinstance(given, dict) else {outputs[0]: given}
                    return {name: values.float().numpy() for name, values in named.items()}

                return run

            @hookimpl
            def striate_backends(context):
                return [BackendRecord("in_double", "torch in float64.", Factory("my_plugin:in_double"))]
        """

    @hookspec
    def striate_exporters(self, context: PluginContext) -> list[ExporterRecord]:  # type: ignore[empty-body]
        """Provide exporters, the files of other runtimes: `striate export net.cnn --format squeezed`.

        When and how often. The factory is called once per export in its format, a second time where pixels or answers
        are put into the file (`--preprocess`), and once per kind of layer where an export fails, to find out which
        layers are to blame.

        Returned. It is given a `striate.factories.Subject`, a network with trial inputs, and what the file is to say of
        itself, texts by name. It returns a `Converted`: the contents of its files by ending, the file as its runtime
        loads it back (a function from arrays by input name to arrays by output name), and the runtime's name. What the
        format cannot hold, it refuses by `RefusedError`, with the reason in words.

        Checked. That the main file is there as bytes and every other ending is in `beside`; then the file that was
        loaded back is run at several batches and sizes, and must agree with torch as the export section says.

        On failure. No file is written, what was there stays. E0638 lists the layers that were refused, E0639 where the
        file computes something else; E0720 and E0721 name the plugin.

        Example, `my_plugin.py`::

            import gzip

            from striate.plugin import ExporterRecord, Factory, hookimpl

            def squeezed(subject, entries):
                import onnxruntime
                from striate.factories import Converted, RefusedError, onnx_bytes

                if subject.ends.pixels or subject.ends.answers:
                    raise RefusedError("it holds the network alone")
                content = gzip.compress(onnx_bytes(subject), mtime=0)
                session = onnxruntime.InferenceSession(gzip.decompress(content))
                names = [item.name for item in session.get_outputs()]
                run = lambda arrays: dict(zip(names, session.run(names, dict(arrays))))
                return Converted({".onnx.gz": content}, run, "ONNX Runtime")

            @hookimpl
            def striate_exporters(context):
                factory = Factory("my_plugin:squeezed")
                return [ExporterRecord("squeezed", "ONNX, compressed.", factory, "compressed ONNX", ".onnx.gz")]
        """

    @hookspec
    def striate_importers(self, context: PluginContext) -> list[ImporterRecord]:  # type: ignore[empty-body]
        r"""Provide importers, which read files of other programs: `striate import net.towers`.

        When and how often. An importer is called once per file with one of its `suffixes` that is not one of striate's
        own, or that `--importer NAME` gives it. Two importers for one ending are an error that names both.

        Returned. The factory is given the path and returns a `striate.factories.ImportedText`: the network as a text of
        the language, and an array in float32 for every weight by its name there, or none at all. `original` may open
        the file in its own runtime: a function that returns one from arrays by input name to arrays by output name.

        Checked. The text by the rules of its layers, every array against its weight. With `original` the network in
        torch is compared with it on random inputs, and nothing is written if they differ (E0607).

        On failure. Nothing is written. What it raises is E0720; a text with mistakes or a missing array E0721. A file
        must not be able to run code: an importer that cannot promise it says `runs_code = True`, and is then refused
        without `--trust` (E0724). One that says nothing and unpickles is stopped, with the same code.

        Example, `my_plugin.py`::

            import json

            from striate.plugin import Factory, ImporterRecord, hookimpl

            def towers(path):
                import numpy as np
                from striate.factories import ImportedText

                layers = json.loads(path.read_text())["layers"]
                flow = " -> ".join(f"dense({len(each['bias'])}) as d{n}" for n, each in enumerate(layers))
                size = len(layers[0]["weight"][0])
                text = f"model Tower {{\n  input x: {size}\n  {flow}\n  output y\n}}\n"
                weights = {
                    f"d{n}.{role}": np.asarray(values, dtype="float32")
                    for n, each in enumerate(layers)
                    for role, values in each.items()
                }
                return ImportedText(text, weights, origin="a tower of dense layers")

            @hookimpl
            def striate_importers(context):
                return [ImporterRecord("towers", "Dense layers in JSON.", Factory("my_plugin:towers"), (".towers",))]
        """
