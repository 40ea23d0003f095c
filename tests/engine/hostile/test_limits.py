"""Every limit can be lowered and raised by its variable, names it in its finding, and is on the page of limits."""

from __future__ import annotations

import re

import pytest

from striate.checking import check_source
from striate.fixing import fix_source
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.limits import LIMITS, Limit
from striate_dsl.source import Source

BY_VARIABLE = {limit.variable: limit for limit in LIMITS}


def net(body: str, size: str = "3 x 8 x 8", before: str = "") -> str:
    return f"{before}\nmodel Net {{\ninput image: {size}\n{body}\noutput y\n}}\n"


def codes(text: str) -> set[str]:
    return {item.code for item in check_source(Source("net.cnn", text)).diagnostics}


def chain(number: int) -> str:
    blocks = [f"block B{each} {{ B{each + 1} }}" for each in range(number)]
    return net("B0", before="\n".join([*blocks, f"block B{number} {{ relu }}"]))


AT_WORK: dict[str, tuple[str, int, str]] = {
    "STRIATE_MAX_TOKENS": (net("relu\n" * 40), 60, "E0138"),
    "STRIATE_MAX_WORD": (net("relu as " + "v" * 30 + "\n" + "v" * 30 + " -> relu"), 29, "E0139"),
    "STRIATE_MAX_NESTING": (net("conv(" + "(" * 20 + "1" + ")" * 20 + ", 1)"), 10, "E0107"),
    "STRIATE_MAX_DEFINITIONS": (net("A", before="block A { relu }"), 1, "E0138"),
    "STRIATE_MAX_LAYERS": (net("repeat 10 { relu }"), 9, "E0340"),
    "STRIATE_MAX_STEPS": (net("repeat 30 { }\nrelu"), 20, "E0320"),
    "STRIATE_MAX_BLOCK_DEPTH": (chain(6), 6, "E0319"),
    "STRIATE_MAX_LIST": (net("let a = [1, 2, 3] + [4, 5, 6]\nconv(len(a), 1)"), 5, "E0313"),
    "STRIATE_MAX_OPEN_SIZES": (net("relu", "3 x H x W"), 1, "E0342"),
    "STRIATE_MAX_CONDITIONS": (net("relu", "3 x H x W where H + W >= 9 and 2 * H + W >= 12"), 1, "E0342"),
    "STRIATE_MAX_SIZE_TERMS": (net("let a = (in.height + 1) * (in.width + 2)\nrelu", "3 x H x W"), 3, "E0343"),
    "STRIATE_MAX_PAIRS": (
        net("relu") + "train Net { epochs = 1 }\nprofile a { train.epochs = 2 }\nprofile b { train.epochs = 2 }\n",
        1,
        "E0341",
    ),
}
"""By variable: a text that is legal by default (as to limits), a limit that it passes, and the code that says so."""


@pytest.mark.parametrize("variable", AT_WORK)
def test_a_limit_is_what_its_variable_says(variable: str, monkeypatch: pytest.MonkeyPatch):
    text, lowered, code = AT_WORK[variable]
    assert code not in codes(text)
    monkeypatch.setenv(variable, str(lowered))
    found = [item for item in check_source(Source("net.cnn", text)).diagnostics if item.code == code]
    assert found, codes(text)
    assert variable in (found[0].help or "")
    raised = re.search(rf"{variable}=(\d+)", found[0].help or "")
    assert raised is not None
    assert int(raised[1]) == 2 * lowered
    monkeypatch.setenv(variable, str(BY_VARIABLE[variable].default))
    assert code not in codes(text)


def test_a_raised_limit_lets_more_through(monkeypatch: pytest.MonkeyPatch):
    text = net("repeat 30 { repeat 30 { repeat 30 { repeat 30 { } } } }\nrelu")
    assert codes(text) == {"E0320"}
    monkeypatch.setenv("STRIATE_MAX_STEPS", "2M")
    assert "E0320" not in codes(text)


def test_findings_beyond_the_limit_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch):
    text = net("conv(8, 99)\n" * 1 + "image -> conv(8, 99)\n" * 9)
    monkeypatch.setenv("STRIATE_MAX_FINDINGS", "3")
    found = check_source(Source("net.cnn", text)).diagnostics
    assert sum(item.code == "E0202" for item in found) == 3


def test_warnings_beyond_the_limit_are_named(monkeypatch: pytest.MonkeyPatch):
    text = net("".join(f"let unused{number} = 1\n" for number in range(9)) + "relu")
    monkeypatch.setenv("STRIATE_MAX_FINDINGS", "3")
    checked = check_source(Source("net.cnn", text))
    assert [item.code for item in checked.diagnostics] == ["W0109"] * 3 + ["E0346"]
    assert not checked.failed


def test_repairs_are_bounded(monkeypatch: pytest.MonkeyPatch):
    text = net("".join(f"let unused{number} = 1\n" for number in range(9)) + "relu")
    assert len(fix_source(Source("net.cnn", text)).made) == 9
    monkeypatch.setenv("STRIATE_MAX_FINDINGS", "1")
    monkeypatch.setenv("STRIATE_MAX_REPAIRS", "4")
    assert len(fix_source(Source("net.cnn", text)).made) == 4


def test_models_of_a_file_share_its_layers(monkeypatch: pytest.MonkeyPatch):
    text = net("repeat n { relu }").replace("Net", "Net(n = 4000)") + "model More = Net(n = 5000)\n"
    assert "E0340" not in codes(text)
    monkeypatch.setenv("STRIATE_MAX_LAYERS", "8000")
    assert codes(text) == {"E0340"}
    monkeypatch.setenv("STRIATE_MAX_LAYERS", "9000")
    assert "E0340" not in codes(text)


@pytest.mark.parametrize("written", ["lots", "0", "-3", "1.5", "9" * 30, "²", "1e3", "0x10", "k"])
def test_a_variable_that_is_no_number_is_a_finding(written: str, monkeypatch: pytest.MonkeyPatch):
    limit = Limit("STRIATE_MAX_TRIAL", "what is tried", 7)
    monkeypatch.setenv("STRIATE_MAX_TRIAL", written)
    with pytest.raises(DiagnosticError) as caught:
        _ = limit.value
    assert caught.value.diagnostics[0].code == "E0345"
    assert "what is tried" in caught.value.diagnostics[0].notes[0]


@pytest.mark.parametrize(("written", "value"), [("", 7), (" ", 7), ("12", 12), ("3k", 3000), ("2M", 2_000_000)])
def test_a_variable_is_a_number_as_the_language_writes_it(written: str, value: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRIATE_MAX_TRIAL", written)
    assert Limit("STRIATE_MAX_TRIAL", "what is tried", 7).value == value


def test_a_limit_cannot_be_raised_beyond_what_python_bears(monkeypatch: pytest.MonkeyPatch):
    limit = Limit("STRIATE_MAX_TRIAL", "what is tried", 7, highest=9)
    assert "STRIATE_MAX_TRIAL=9" in limit.advice
    monkeypatch.setenv("STRIATE_MAX_TRIAL", "10")
    with pytest.raises(DiagnosticError, match="from 1 up to 9"):
        _ = limit.value


def test_the_page_of_limits_names_them_all(repository):
    page = (repository / "docs" / "limits.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+(?: MiB)?)", page, re.MULTILINE))
    written = {name: int(value.removesuffix(" MiB").replace(",", "")) for name, value in rows.items()}
    written["STRIATE_MAX_FILE_SIZE"] *= 1024 * 1024
    assert written == {limit.variable: limit.default for limit in LIMITS}
