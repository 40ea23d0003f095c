"""Training a model by its recipe: from the checked subject to a folder with weights, pictures and a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch import Callback, Trainer

from striate.graph import fingerprint
from striate.lower.torch import Program
from striate.runtime.atomic import atomic_write
from striate.runtime.checkpoint_info import CheckpointInfo
from striate.runtime.provenance import is_provenance, unlike
from striate.train.augmented_picture import augmented_picture
from striate.train.description import describe
from striate.train.environment import environment
from striate.train.evaluation import evaluate
from striate.train.interruption import stopping_politely
from striate.train.module import SplitLoaders, TrainingModule
from striate.train.objective import Objective
from striate.train.order import batches_of_epoch
from striate.train.pictures import draw_confusion, draw_curves, draw_rates
from striate.train.quiet import quiet_libraries
from striate.train.recipe import Recipe
from striate.train.recorder import Recorder
from striate.train.report import RunReport
from striate.train.run_folder import RunFolder
from striate.train.run_state import RunState
from striate.train.scoring import Scores
from striate.train.starting import start_weights
from striate.train.storage import StateFile, read_state
from striate.train.subject import Subject, try_out
from striate.train.weight_parts import check_weights
from striate_dsl.diagnostics import Diagnostic, DiagnosticError

_PRECISIONS = {"float32": "32-true", "bfloat16": "bf16-mixed"}
SAVE_INTERVAL = 60.0
"""Seconds after which the state is saved in the middle of an epoch."""


@dataclass(frozen=True)
class TrainingResult:
    """A finished run.

    Attributes:
        folder: where everything lies.
        test: the scores of the best weights on the test split.
        run: the course of the run.
        notes: what the user should know.
    """

    folder: RunFolder
    test: Scores
    run: RunState
    notes: tuple[str, ...]


def train(
    subject: Subject,
    folder: RunFolder,
    *,
    resume: bool = False,
    overwrite: bool = False,
    device: torch.device | str = "cpu",
    callbacks: tuple[Callback, ...] = (),
    tell: Callable[[str], None] = lambda message: None,
    save_interval: float = SAVE_INTERVAL,
) -> TrainingResult:
    """Train a model, keep its weights and state in a folder, and measure the best weights on the test split.

    The same recipe gives the same weights to the last bit on the same machine, also when the run was stopped, at
    whatever moment, and resumed.

    Args:
        subject: model, recipe and data.
        folder: where to write.
        resume: go on with the run in the folder; where there is none, begin.
        overwrite: begin anew in a folder that holds a run.
        device: where to compute.
        callbacks: displays of the progress.
        tell: is given short messages for the user.
        save_interval: seconds after which the state is saved in the middle of an epoch.

    Raises:
        DiagnosticError: model and data do not fit, the folder holds another run or cannot be written to, or the loss
            is not finite any more.
        TrainingInterruptedError: the user or the system stopped the run; its state is saved.
    """
    recipe, place = subject.recipe, torch.device(device)
    check_weights(recipe, subject.model.graph)
    going_on = folder.check(resume=resume, overwrite=overwrite)
    program = start_weights(Program(subject.model.graph, subject.model.catalogue.lookup), recipe)
    objective = try_out(subject, program)
    run = _restored(folder, subject, tell) if going_on else RunState()
    folder.prepare(keep=going_on)
    if going_on and run.finished:
        tell("the run is finished already: only its report is made anew")
    info = describe(subject)
    with quiet_libraries() as notes, _same_again(place):
        if not run.finished:
            _fit(subject, program, objective, run, folder, info, place, callbacks, tell, save_interval, going_on)
        program.load_state_dict(run.best_weights)
        objective.load_state_dict(run.best_loss_weights)
        test = evaluate(subject, program.to(place), "test", place, objective, draw=True)
        _finish(subject, run, folder, info, test, place, tuple(notes))
    return TrainingResult(folder, test, run, tuple(notes))


def _fit(
    subject: Subject,
    program: Program,
    objective: Objective,
    run: RunState,
    folder: RunFolder,
    info: CheckpointInfo,
    device: torch.device,
    callbacks: tuple[Callback, ...],
    tell: Callable[[str], None],
    save_interval: float,
    going_on: bool,
) -> None:
    recipe, data = subject.recipe, subject.data
    steps = len(batches_of_epoch(recipe.seed, 0, len(data.train), recipe.step_images))
    module = TrainingModule(program, objective, subject, run, steps)
    with stopping_politely(tell) as stop:
        recorder = Recorder(folder, info, stop, save_interval)
        trainer = _trainer(recipe, folder.path, device, [recorder, *callbacks])
        # Where Lightning's count of epochs begins; the rest of its record is not kept (see Recorder).
        for name in ("ready", "started", "processed", "completed"):
            setattr(trainer.fit_loop.epoch_progress.current, name, run.epoch)
        loaders = SplitLoaders(data, recipe, run)
        try:
            trainer.fit(module, datamodule=loaders, ckpt_path=str(folder.state) if going_on else None)
        except SystemExit:  # Lightning's answer to a second Ctrl-C
            raise KeyboardInterrupt from None


def _trainer(recipe: Recipe, path: Path, device: torch.device, callbacks: list[Callback]) -> Trainer:
    return Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        precision=_PRECISIONS[recipe.precision],  # type: ignore[arg-type]  # two of Lightning's own names
        max_epochs=recipe.epochs,
        deterministic="warn",
        benchmark=False,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        callbacks=callbacks,
        plugins=[StateFile(), LightningEnvironment()],
        default_root_dir=path,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


@contextmanager
def _same_again(device: torch.device) -> Iterator[None]:
    """Leave torch's random numbers and its choice of algorithms as they were."""
    deterministic, warn = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    cuda = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(deterministic, warn_only=warn)


def _restored(folder: RunFolder, subject: Subject, tell: Callable[[str], None]) -> RunState:
    """Return where the run in a folder stands, if it is a run of this model by this recipe.

    Plugins in other versions than it was begun with are told: the same weights may not come out of them.
    """
    state = read_state(folder.state)
    try:
        stored: dict[str, Any] = state["striate"]
        recipe, graph, run = stored["recipe"], stored["fingerprint"], RunState.from_plain(stored["run"])
    except (KeyError, TypeError):
        raise DiagnosticError(
            Diagnostic("E0503", f"{folder.state} is not a state that this version of striate can go on from")
        ) from None
    now = subject.recipe.settings()
    changed = [
        f"{key} was {recipe.get(key, 'not set')}, is {now.get(key, 'not set')}"
        for key in {**recipe, **now}
        if recipe.get(key) != now.get(key)
    ]
    if graph != fingerprint(subject.model.graph):
        changed.insert(0, f"the network {subject.model.name} is another one than when the run began")
    if changed:
        raise DiagnosticError(
            Diagnostic(
                "E0510",
                f"the run in {folder.path} cannot go on: the file or its settings have changed",
                subject.recipe.span,
                notes=tuple(changed),
                help="undo the changes, or begin anew: --overwrite, or another folder: --out DIR",
            )
        )
    begun_with = stored.get("plugins", {})
    if is_provenance(begun_with):
        for item in unlike(begun_with, subject.model.catalogue, "the weights so far", network_only=False):
            tell(f"warning[{item.code}]: {item.message}\nhelp: {item.help}")
    return run


def _finish(
    subject: Subject,
    run: RunState,
    folder: RunFolder,
    info: CheckpointInfo,
    test: Scores,
    device: torch.device,
    notes: tuple[str, ...],
) -> None:
    """Draw the pictures and write the report."""
    if run.best is None:
        raise RuntimeError("a finished run has a best epoch")
    pictures = {"Learning curves": draw_curves(run.history, run.best, subject.recipe.metrics)}
    atomic_write(folder.curves, pictures["Learning curves"])
    if run.rates:
        pictures["Range test"] = draw_rates(run.rates)
        atomic_write(folder.rates, pictures["Range test"])
    if "confusion" in subject.task.report:
        pictures["Confusion matrix"] = draw_confusion(test)
        atomic_write(folder.confusion, pictures["Confusion matrix"])
    if subject.recipe.augment:
        pictures["Augmented training images"] = augmented_picture(subject)
        atomic_write(folder.augmented, pictures["Augmented training images"])
    pictures |= {f"Test split: {name}": picture for name, picture in test.pictures.items()}
    examples = {split: len(items) for split, items in subject.data}
    report = RunReport(
        info,
        subject.recipe,
        run,
        test,
        examples,
        subject.model.parameters,
        pictures,
        environment(device),
        (*notes, *test.notes),
    )
    atomic_write(folder.report, report.to_html())
