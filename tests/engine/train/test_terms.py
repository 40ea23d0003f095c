"""What plugins' optimizers, wrappers, schedules and averages do wrong: told in a sentence that names them."""

from __future__ import annotations

import textwrap

import pytest

from striate.cli import group
from striate.cli.boundary import run_guarded
from tests.engine.host.in_process import installed

NET = """model Net {
  input image: 1 x 8 x 8
  conv(4, 3) -> relu -> global_avgpool -> flatten -> dense(10)
  output logits
}
train Net {
  data = digits(limit = 60)
  loss = cross_entropy
  optimizer = sgd(lr = 0.1)
  batch = 16
  epochs = 1
}
"""


@pytest.fixture
def trained(tmp_path, monkeypatch, capsys):
    """Train with a record `bent` of plugin `acme`, whose function `work(*given)` has some body; return what it said."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def call(kind: str, record: str, key: str, body: str, further: str = "") -> str:
        inner = textwrap.indent(textwrap.dedent(body), "    ")
        code = (
            f"from striate.plugin import *\n\ndef work(*given):\n    import torch\n{inner}\n\n"
            f"@hookimpl\ndef striate_{kind}(context):\n"
            f'    return [{record}("bent", "Bent.", Factory("acme:work"){further})]\n'
        )
        (tmp_path / "work" / "net.cnn").write_text(NET)
        with installed(tmp_path / "site", code, "acme"):
            found = run_guarded(group, ["train", "net.cnn", "--set", f"train.{key}=bent", "--overwrite"])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        assert found == 1, captured.out + captured.err
        return captured.out + captured.err

    return call


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 3", "error[E0721]: the optimizer bent of plugin acme is a int where a torch.optim.Optimizer is due"),
        ("raise OSError('no device')", "plugin acme failed: OSError: no device"),
        (
            "made = torch.optim.SGD(*given, lr=0.1)\nmade.step = lambda closure=None: None\nreturn made",
            "error[E0721]: the optimizer bent of plugin acme made a step without asking for gradients",
        ),
    ],
)
def test_an_optimizer_that_breaks_its_terms(trained, body, said):
    assert said in trained("optimizers", "OptimizerRecord", "optimizer", body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return given", "error[E0721]: the wrapper of optimizers bent of plugin acme is a tuple where a"),
        (
            "return torch.optim.SGD([{'params': given[0].param_groups[0]['params']}], lr=1.0)",
            "the wrapper of optimizers bent of plugin acme has other param_groups than the optimizer that it was given",
        ),
        ("given[0].step(None)\nreturn given[0].nothing", "plugin acme failed: AttributeError"),
    ],
)
def test_a_wrapper_that_breaks_its_terms(trained, body, said):
    assert said in trained("wrappers", "WrapperRecord", "wrap", body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "return lambda epoch: 'fast'",
            "the schedule bent of plugin acme gave 'fast' where a factor of the rate is due",
        ),
        ("return lambda epoch: -1", "gave -1 where a factor of the rate is due, a number of at least 0"),
        ("return lambda epoch: float('nan')", "gave nan where a factor of the rate is due"),
        ("return lambda: 1", "the schedule bent of plugin acme failed: TypeError: "),
        ("return lambda epoch: epoch.fraction", "plugin acme failed: AttributeError"),
    ],
)
def test_a_schedule_that_breaks_its_terms(trained, body, said):
    assert said in trained("schedules", "ScheduleRecord", "schedule", body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "return lambda epoch, moved: 2",
            "the average of weights bent of plugin acme gave 2, where a number from 0 to 1",
        ),
        ("return lambda epoch, moved: 'all'", "gave 'all', where a number from 0 to 1 is due, or None"),
        ("return lambda epoch: 1", "the average of weights bent of plugin acme failed: TypeError: "),
        ("return given[0] + 'x'", "the average of weights bent of plugin acme failed: TypeError: "),
    ],
)
def test_an_average_that_breaks_its_terms(trained, body, said):
    assert said in trained("averages", "AverageRecord", "average", body)


@pytest.mark.parametrize(
    ("kind", "record", "key", "further", "said"),
    [
        ("schedules", "ScheduleRecord", "schedule", ", watches=1", "bent: watches must be True or False, not 1"),
        ("schedules", "ScheduleRecord", "schedule", ", formula=len", "bent: formula must be a text, not"),
        (
            "averages",
            "AverageRecord",
            "average",
            ", recomputes=None",
            "bent: recomputes must be True or False, not None",
        ),
    ],
)
def test_records_that_are_not_as_they_should_be(trained, kind, record, key, further, said):
    assert said in trained(kind, record, key, "return None", further)
