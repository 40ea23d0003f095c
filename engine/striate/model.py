"""The Python face of striate: load a `.cnn` file and do with its network what the commands do.

>>> import striate
>>> model = striate.load("resnet.cnn", model="ResNet50", classes=10)
>>> model.parameters
23528522
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.elaborate import elaborate, model_names
from striate.elaborate.profiles import NO_PROFILE, Profile, read_profile
from striate.host.catalogue import HostCatalogue
from striate.ops.arguments import Choice, format_value
from striate.project.linking import parse_linked
from striate_dsl.diagnostics import Diagnostic, DiagnosticError
from striate_dsl.parser import ParseResult
from striate_dsl.reading import read_source
from striate_dsl.source import Source

if TYPE_CHECKING:
    from striate.dims.domain import Domain
    from striate.exporting import ExportReport
    from striate.graph import Graph
    from striate.lower.torch import Program
    from striate.running import Running
    from striate.view.summary import Summary
    from striate_dsl.syntax import File


@dataclass(frozen=True)
class Model:
    """One network of a `.cnn` file.

    Attributes:
        name: the model's or variant's name.
        graph: the typed graph.
        file: the syntax tree of the file it comes from, with the files that one uses (recipes and export contracts are
            its own).
        domain: the input sizes that the network takes.
        warnings: findings that are no errors.
        catalogue: the layers and records that were available.
        overrides: the model parameters that were given, as expressions.
        profile: the profile that was chosen.
    """

    name: str
    graph: Graph
    file: File
    domain: Domain
    warnings: tuple[Diagnostic, ...] = ()
    catalogue: HostCatalogue = field(default_factory=HostCatalogue, repr=False)
    overrides: Mapping[str, str] = field(default_factory=dict)
    profile: str | None = None

    @property
    def parameters(self) -> int:
        """Number of trainable parameters; running statistics are not counted."""
        return self.graph.parameters

    def summary(
        self,
        *,
        sizes: Mapping[str, int] | None = None,
        batch: int = 1,
        precision: str = "fp32",
        optimizer: str | None = None,
        device: str | None = None,
    ) -> Summary:
        """Return the layers with sizes, parameters, MACs, memory and receptive fields; printed, it is a table.

        Args:
            sizes: sizes to put in for the symbols, e.g. `{"H": 224, "W": 224}`.
            batch: the number of images that operations, traffic and memory are given for.
            precision: what values are held in: `fp32`, `fp16`, `bf16` or `int8`.
            optimizer: `sgd`, `momentum` or `adam` for the memory of training.
            device: a device for lower bounds of the time, e.g. `h100`.

        Raises:
            DiagnosticError: the network does not take these sizes, or one of the names is not known.
        """
        from striate.view.summary import summarize  # noqa: PLC0415  # not needed to load

        return summarize(
            self.graph,
            self.catalogue.lookup,
            self.domain,
            sizes=sizes,
            batch=batch,
            precision=precision,
            optimizer=optimizer,
            device=device,
        )

    def to_torch(self, *, seed: int = 0, weights: str | Path | None = None, device: str = "cpu") -> Program:
        """Return the network as a `torch.nn.Module`, initialised from `seed` or filled from a checkpoint.

        A checkpoint that was made with plugins that are not here, or not in that version, is told by a warning.

        Raises:
            DiagnosticError: the checkpoint cannot be read or belongs to another architecture.
        """
        from striate.lower.torch import Program, initialise

        program = Program(self.graph, self.catalogue.lookup, device=device)
        if weights is None:
            return initialise(program, seed)
        from striate.lower.torch import load_arrays
        from striate.runtime.checkpoint import read_info, read_weights
        from striate.runtime.provenance import unlike

        info = read_info(Path(weights))
        for item in unlike(info.plugins if info else {}, self.catalogue, "the weights", network_only=True):
            warnings.warn(f"{item.code}: {item.message}; {item.help}", stacklevel=2)
        return load_arrays(program, read_weights(Path(weights), self.graph))

    def runner(
        self,
        backend: str = "torch",
        *,
        weights: str | Path | None = None,
        seed: int = 0,
        verify: bool = True,
    ) -> Running:
        """Return the network ready to run by a back end: a callable from arrays by input name to those by output name.

        Args:
            backend: `torch`, or the name of a plugin's back end, e.g. `onnxruntime`.
            weights: a checkpoint; without one the weights are initialised from `seed`.
            seed: see `weights`.
            verify: compare the back end with torch on random inputs first.

        Raises:
            DiagnosticError: there is no such back end, it fails, or it computes something else than torch.
        """
        from striate.running import run_model  # noqa: PLC0415  # not needed to load

        return run_model(self, backend, weights=weights, seed=seed, verify=verify)

    def export_onnx(
        self,
        path: str | Path,
        *,
        weights: str | Path | None = None,
        seed: int = 0,
        opset: int | None = None,
        verify: bool = True,
        fold: bool = False,
        functions: bool = False,
        external_data: bool | None = None,
        precision: str | None = None,
        keep_float: Sequence[str] = (),
        calibrate: str | Path | Sequence[Mapping[str, Any]] | None = None,
        preprocess: str | None = None,
        postprocess: str | None = None,
        passes: Sequence[str] | None = None,
    ) -> ExportReport:
        """Write the network as ONNX and compare ONNX Runtime with torch; nothing is written if they differ.

        What is left out is as the file's export section says.

        Args:
            path: the file to write.
            weights: a checkpoint; without one the weights are initialised from `seed`.
            seed: see `weights`.
            opset: the operator set.
            verify: whether to compare; needs torch and onnxruntime.
            fold: whether batch norms and parallel branches are folded into convolutions.
            functions: whether blocks are written as functions of the file.
            external_data: whether the weights go into a second file; None where one file of 2 GiB cannot hold them.
            precision: `float32`, `float16`, `bfloat16` or `int8`.
            keep_float: layers and blocks that stay in float32 whatever the precision is.
            calibrate: for int8: a folder of images, the name of a data set, or batches of inputs by name.
            preprocess: `pixels` or `resize`: the file takes 8-bit images.
            postprocess: `head`, `softmax`, `sigmoid`, `argmax` or `top`: the file gives answers.
            passes: passes of plugins that the network goes through first.

        Raises:
            DiagnosticError: the network cannot be written as ONNX, or computes something else there.
        """
        from striate.analysis.ends import Wanted  # noqa: PLC0415  # not needed to load
        from striate.calibration import Calibration  # noqa: PLC0415  # the same
        from striate.exporting import export_model  # noqa: PLC0415  # imports this module
        from striate.precisions import Numbers  # noqa: PLC0415  # not needed to load

        return export_model(
            self,
            Path(path),
            weights=None if weights is None else Path(weights),
            seed=seed,
            opset=opset,
            verify=verify,
            fold=fold,
            functions=functions,
            external_data=external_data,
            numbers=Numbers(precision, keep_float=tuple(keep_float), calibration=Calibration(calibrate)),
            wanted=Wanted(preprocess=preprocess, postprocess=postprocess),
            passes=passes,
        )

    def _repr_html_(self) -> str:
        """Show the summary in a notebook."""
        return self.summary()._repr_html_()


def load(path: str | Path, model: str | None = None, *, profile: str | None = None, **parameters: Any) -> Model:
    """Read a `.cnn` file and build one of its models.

    Args:
        path: the file.
        model: the model's or variant's name; may be left out where the file has one model only.
        profile: the name of one of the file's profiles, for the model parameters that it sets.
        parameters: the model's parameters, e.g. `classes=10`; text is taken as a plain name (`unit="Basic"`).

    Raises:
        DiagnosticError: the file cannot be read, has mistakes, or has no such model.
    """
    overrides = {name: _written(value) for name, value in parameters.items()}
    return load_source(read_source(Path(path)), model, overrides, profile=profile)


def load_source(
    source: Source,
    model: str | None = None,
    overrides: Mapping[str, str] | None = None,
    catalogue: HostCatalogue | None = None,
    profile: str | None = None,
) -> Model:
    """Build one model of a text; `overrides` are model parameters as expressions, which win over the profile's.

    Raises:
        DiagnosticError: the text has mistakes or no such model.
    """
    catalogue = catalogue or HostCatalogue()
    return build_model(parse_linked(source, catalogue), model, overrides, catalogue, profile)


def build_model(
    parsed: ParseResult,
    model: str | None,
    overrides: Mapping[str, str] | None,
    catalogue: HostCatalogue,
    profile: str | None = None,
) -> Model:
    """Build one model of a parsed text with the files it uses; arguments and errors as for `load_source`."""
    if parsed.file is None or parsed.diagnostics.has_errors:
        raise DiagnosticError(*parsed.diagnostics)
    name = model or only_model(parsed.file)
    arguments = chosen_profile(parsed.file, profile).arguments(parsed.file, name)
    built = elaborate(parsed.file, name, catalogue, overrides, arguments)
    if built.graph is None or built.domain is None:
        raise DiagnosticError(*parsed.diagnostics, *built.diagnostics)
    findings = (*parsed.diagnostics, *built.diagnostics)
    return Model(name, built.graph, parsed.file, built.domain, findings, catalogue, dict(overrides or {}), profile)


def chosen_profile(file: File, name: str | None) -> Profile:
    """Return a profile of a file by name; without a name, the one that sets nothing.

    Raises:
        DiagnosticError: there is no such profile, or it has mistakes.
    """
    if name is None:
        return NO_PROFILE
    from striate.train.recipe import KEYS

    return read_profile(file, name, KEYS)


def only_model(file: File) -> str:
    """Return the name of a file's only model.

    Raises:
        DiagnosticError: it has none or several.
    """
    names = model_names(file)
    if len(names) == 1:
        return names[0]
    raise DiagnosticError(several_models(file))


def several_models(file: File) -> Diagnostic:
    """Return the finding for a file in which no single model can be meant."""
    names = model_names(file)
    return Diagnostic(
        "E0310",
        "the file has several models: which one?" if names else "the file has no model",
        notes=(f"models in {file.span.file}: {', '.join(names)}",) if names else (),
        help=f"name one with --model {names[-1]}" if names else "add one: model Name { input … output … }",
    )


def _written(value: Any) -> str:
    if isinstance(value, str) and value.isidentifier():
        return format_value(Choice(value))
    return format_value(value)
