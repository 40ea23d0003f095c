"""cfg and weights files that are wrong, cut short or meant to do harm: a finding with a code and a place, and soon."""

from __future__ import annotations

import random
import struct
import time

import numpy as np
import pytest

from striate.cli.boundary import run_guarded
from striate.cli.importing import command
from striate.importer import import_file, write_import
from striate_dsl.diagnostics import DiagnosticError
from tests.engine.importing import darknet_networks as networks
from tests.engine.importing.darknet_reference import random_weights, write

NET = "[net]\nwidth=16\nheight=16\nchannels=3\n"
CONV = "[convolutional]\nbatch_normalize=1\nfilters=4\nsize=3\npad=1\nactivation=leaky\n"


def findings(path, **options):
    """Return the findings of an import that must fail."""
    with pytest.raises(DiagnosticError) as caught:
        import_file(path, **options)
    return caught.value.diagnostics


def finding(path, **options):
    (found,) = findings(path, **options)
    return found


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b" \n\t\n", "it is empty"),
        (b"[net]\0\nwidth=3", "zero bytes"),
        (b"\x89PNG\r\n\x1a\n\0\0", "zero bytes"),
    ],
)
def test_files_that_are_no_cfg(content, words, tmp_path):
    (tmp_path / "net.cfg").write_bytes(content)
    found = finding(tmp_path / "net.cfg")
    assert (found.code, words in found.message) == ("E0653", True)


def test_files_that_are_not_there(tmp_path):
    assert "no such file" in finding(tmp_path / "no.cfg").message
    (tmp_path / "folder.cfg").mkdir()
    assert "it is a folder" in finding(tmp_path / "folder.cfg").message


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_MAX_FILE_SIZE", "1000")
    found = finding(write(tmp_path, NET + "#" * 1000))
    assert (found.code, "1,000 is the most that is read" in found.message) == ("E0653", True)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[convolutional]\nfilters=3\n", 1, "does not begin with [net]"),
        ("width=3\n[net]\n", 1, "before the first section"),
        ("[net]\nwidth=16\nheight=16\nchannels=3\n", 1, "has no layers"),
        ("[net]\nwidth=16\nheight=16\n" + CONV, 1, "needs width, height and channels, or inputs"),
        (
            "[net]\nwidth=16\nheight=16\nchannels=3\ninputs=x\n[softmax]\n[cost]\n[net\n",
            8,
            "a section is written [type]",
        ),
        (NET + "[]\n", 5, "a section is written [type]"),
        (NET + "[convolutional] more\n", 5, "a section is written [type]"),
        (NET + CONV + "nonsense\n", 11, "neither a section nor an option"),
        (NET + CONV + "=3\n", 11, "neither a section nor an option"),
        (NET + "[convolutional]\nfilters=many\n", 6, "filters of [convolutional] at line 5 must be a whole number"),
        (NET + "[convolutional]\nfilters=0\n", 6, "a whole number of at least 1, not 0"),
        (NET + "[convolutional]\nfilters=99999999999\n", 6, "of at most 2,147,483,647"),
        (NET + "[convolutional]\nfilters=" + "9" * 5000 + "\n", 6, "must be a whole number"),
        (NET + "[convolutional]\nstride=-2\n", 6, "of at least 1"),
        (NET + "[dropout]\nprobability=nan\n", 6, "must be a number"),
        (NET + "[dropout]\nprobability=1e999\n", 6, "must be a number"),
        (NET + CONV + "[route]\nlayers=\n", 11, "names no layers"),
        (NET + CONV + "[route]\nlayers=1\n", 12, "is layer 1, which is not before it"),
        (NET + CONV + "[route]\nlayers=-2\n", 12, "is layer -1, which is not before it"),
        (NET + CONV + "[route]\nlayers=0,x\n", 12, "must be a whole number, not x"),
        (NET + CONV + "[route]\nlayers=" + "0," * 5000 + "0\n", 12, "more than 1,000 entries"),
        (NET + CONV + "[route]\nlayers=0\ngroups=2\ngroup_id=2\n", 14, "is not below groups = 2"),
        (NET + CONV + "[shortcut]\nactivation=linear\n", 11, "does not say from where"),
        (NET + CONV + "[shortcut]\nfrom=7\n", 12, "is layer 7"),
        (NET + CONV + "[yolo]\nmask=0,1\nnum=2\nclasses=3\n", 11, "needs 16 channels for 2 anchors, 3 classes"),
        (NET + CONV + "[region]\nnum=2\nclasses=3\n", 11, "needs 16 channels"),
        (NET + "[cost]\n", 5, "computes nothing"),
    ],
)
def test_mistakes_are_told_with_their_line(text, line, words, tmp_path):
    found = finding(write(tmp_path, text))
    assert found.code == "E0654"
    assert words in found.message
    assert found.span.line == line


def test_all_lines_that_cannot_be_read_are_told_at_once(tmp_path):
    text = NET + "[convolutional]\nfilters=a\n" + CONV + "[route]\nlayers=9\n" + CONV
    assert [item.span.line for item in findings(write(tmp_path, text))] == [6, 14]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("[gru]\noutput=4\n", "its reset gate stands before the product"),
        ("[lstm]\noutput=4\n", "different orders"),
        ("[normalization]\n", "so it is no lrn"),
        ("[fancy]\n", "Darknet knows no such section"),
        ("[convolutional]\nactivation=stair\n", "activation stair: it is piecewise constant"),
        ("[convolutional]\nactivation=leeky\n", "activation leeky is not known (Darknet would take relu)"),
        ("[activation]\nactivation=mish\n", "Darknet does not compute mish in such a section"),
        ("[convolutional]\nxnor=1\n", "xnor = 1 has no counterpart"),
        ("[convolutional]\nshare_index=0\n", "share_index"),
        ("[convolutional]\nfilters=4\ngroups=2\n", "cannot be split into 2 groups"),
        ("[convolutional]\nsize=3\ndilation=2\n", "agree with each other"),
        ("[convolutional]\nsize=33\n", "conv does not take it"),
        ("[maxpool]\nsize=2\npadding=9\n", "maxpool does not take it"),
        ("[maxpool]\nmaxpool_depth=1\n", "maxpool_depth"),
        ("[local]\nfilters=2\nsize=5\npad=1\n", "Darknet's sizes agree"),
        ("[upsample]\nstride=-2\n", "adds up pixels"),
        ("[reorg]\nstride=2\n", "Darknet reads past the end"),
        ("[reorg3d]\nstride=3\n", "no blocks of 3 x 3"),
        ("[softmax]\ntree=9k.tree\n", "tree of classes"),
        ("[softmax]\ngroups=5\n", "cannot be split into 5 groups"),
        ("[dropout]\nprobability=2\n", "is not from 0 below 1"),
        ("[crop]\ncrop_height=20\ncrop_width=3\n", "cannot be cut out"),
        (CONV + "[maxpool]\nstride=2\n[route]\nlayers=0,1\n", "its layers differ in size"),
        (CONV + "[maxpool]\nstride=2\n[shortcut]\nfrom=-1\n[upsample]\n[shortcut]\nfrom=1\n", "differ in size"),
        (CONV + "[shortcut]\nfrom=-1\nweights_type=odd\n", "weights_type odd"),
        (CONV + "[avgpool]\n[convolutional]\nfilters=3\n[scale_channels]\nfrom=0\n", "does not fit the layer"),
    ],
)
def test_what_has_no_counterpart_is_told_with_its_reason(body, reason, tmp_path):
    found = finding(write(tmp_path, NET + body))
    assert found.code == "E0655"
    assert reason in found.notes[0]
    assert found.notes[0].startswith("layer ")


def test_all_of_it_is_listed_and_what_only_follows_is_not(tmp_path):
    text = NET + "[crnn]\n" + CONV + CONV + "[route]\nlayers=0\n[gru]\n[rnn]\n"
    notes = finding(write(tmp_path, text)).notes
    assert [note.split(":")[0] for note in notes] == [
        "layer 0, [crnn] at line 5",
        "layer 4, [gru] at line 20",
        "layer 5, [rnn] at line 21",
    ]


def test_a_head_is_no_layer_to_go_on_from(tmp_path):
    head = "[convolutional]\nfilters=16\n[yolo]\nmask=0,1\nnum=2\nclasses=3\n"
    assert "is decoded by [yolo]" in finding(write(tmp_path, NET + head + CONV)).notes[0]
    assert "which decodes boxes" in finding(write(tmp_path, NET + head + "[route]\nlayers=-1\n")).notes[0]


def test_what_has_no_effect_is_noted(tmp_path):
    made = import_file(write(tmp_path, NET + "[convolutional]\nfiltres=4\nsize=1\nsize=3\njitter=.3\n"))
    assert made.reading.notes == (
        "[convolutional] at line 5: no effect of filtres",
        "line 8: size is written twice; the first counts",
    )


def test_sizes_beyond_any_memory_take_none(tmp_path):
    started = time.monotonic()
    body = "[convolutional]\nfilters=2000000000\nsize=31\npad=1\n" * 3
    try:
        import_file(write(tmp_path, NET + body))
    except DiagnosticError as error:
        assert {item.code for item in error.diagnostics} <= {"E0655", "E0614"}
    assert time.monotonic() - started < 20


def test_very_many_layers_end_soon(tmp_path):
    started = time.monotonic()
    import_file(write(tmp_path, NET + CONV * 1500))
    assert time.monotonic() - started < 60


def test_units_within_each_other_do_not_exhaust_the_stack(tmp_path):
    """Each shortcut goes round all that came before it, twice over, so that the towers are alike."""
    body, index = CONV, 1
    for _ in range(2):
        start, depth = index - 1, 60
        body += CONV * depth
        index += depth
        for place in range(depth):
            body += f"{CONV}[shortcut]\nfrom={start + depth - 1 - place}\n"
            index += 2
    started = time.monotonic()
    made = import_file(write(tmp_path, NET + body))
    assert sum(node.op == "add" for node in made.model.graph.nodes) == 120
    assert made.text.count("block ConvBnLeaky") == 1
    assert time.monotonic() - started < 60


def test_lines_changed_at_random_never_end_in_another_exception(tmp_path):
    dice = random.Random(5)
    lines = (networks.yolov4_tiny(64) + networks.resnet(32)[80:]).splitlines()
    words = [
        "[route]",
        "[shortcut]",
        "[yolo]",
        "layers=-1,-99",
        "from=-1",
        "groups=3",
        "filters=0",
        "=",
        "size=7",
        "[",
        "ÿ",
    ]
    for _ in range(150):
        changed = list(lines)
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(changed))
            changed[place] = dice.choice([*words, dice.choice(lines), changed[place][::-1]])
        try:
            import_file(write(tmp_path, "\n".join(changed)))
        except DiagnosticError as error:
            assert {item.code for item in error.diagnostics} <= {"E0654", "E0655", "E0614"}


# ---------------------------------------------------------------------------------------------------- weights


TWO = NET + CONV + CONV
WHOLE = 20 + 4 * (4 * 3 * 9 + 16 + 4 * 4 * 9 + 16)
FIRST = 20 + 4 * (4 * 3 * 9 + 16)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, TWO, random_weights(TWO))
    return tmp_path


def cut(folder, content: bytes, **options):
    (folder / "net.weights").write_bytes(content)
    return finding(folder / "net.cfg", weights=folder / "net.weights", **options)


def test_weights_cut_short_anywhere_are_refused_with_the_layer(folder):
    whole = (folder / "net.weights").read_bytes()
    assert len(whole) == WHOLE
    for end in range(0, WHOLE, 7):
        found = cut(folder, whole[:end])
        assert found.code == "E0656"
        if end >= 20:
            assert f"it has {end:,} bytes, and the layers of the cfg take {WHOLE:,}" in found.message
            layer = 0 if end < FIRST else 1
            assert f"layer {layer}, [convolutional]" in found.notes[0]


def test_weights_cut_between_layers_hint_at_partial(folder):
    whole = (folder / "net.weights").read_bytes()
    found = cut(folder, whole[:FIRST])
    assert found.notes == ("it ends before layer 1, [convolutional] at line 11",)
    assert "--partial" in found.help
    for end in (FIRST + 2, FIRST + 4, FIRST - 4):
        assert cut(folder, whole[:end], partial=True).code == "E0656"


def test_weights_that_are_too_long_are_refused(folder):
    whole = (folder / "net.weights").read_bytes()
    for more in (b"\0", b"\0" * 4, b"\0" * 4000):
        found = cut(folder, whole + more, partial=True)
        assert found.notes[0] == f"{len(more):,} bytes are left behind the last layer"


def test_weights_of_another_network_of_the_same_length_are_told_by_their_variances(folder):
    numbers = np.frombuffer((folder / "net.weights").read_bytes(), "<f4", offset=20).copy()
    numbers[12] = -1
    found = cut(folder, struct.pack("<iiiQ", 0, 2, 0, 0) + numbers.tobytes())
    assert "its numbers cannot be those of these layers" in found.message
    assert "layer 0, [convolutional] at line 5" in found.notes[0]
    numbers[12] = np.nan
    assert cut(folder, struct.pack("<iiiQ", 0, 2, 0, 0) + numbers.tobytes()).code == "E0656"


def test_weights_that_are_not_there(folder):
    assert "there is no such file" in finding(folder / "net.cfg", weights=folder / "no.weights").message
    assert "no regular file" in finding(folder / "net.cfg", weights=folder).message


def test_nothing_is_written_when_weights_do_not_fit(folder):
    (folder / "net.weights").write_bytes(b"\0" * 100)
    with pytest.raises(DiagnosticError):
        write_import(folder / "net.cfg", folder / "out.cnn", weights=folder / "net.weights")
    assert not (folder / "out.cnn").exists()


# ---------------------------------------------------------------------------------------------------- the command


def test_the_command_takes_weights_and_says_what_it_read(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert run_guarded(command, ["net.cfg", "--weights", "net.weights", "-o", "out.cnn"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "Net is in out.cnn, its weights are in out.safetensors",
        "Darknet cfg, weights of version 0.2.5, trained on 32,013,312 images; 6 layers with 268 parameters",
        "  read: 2 convolutional",
        "  made: 2 bn, 2 conv, 2 leaky_relu",
    ]
    assert run_guarded(command, ["net.cfg"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "Net is in net.cnn, without weights: they start as in training"


def test_the_command_takes_weights_of_the_first_layers(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    (folder / "net.weights").write_bytes((folder / "net.weights").read_bytes()[:FIRST])
    assert run_guarded(command, ["net.cfg", "--weights", "net.weights"]) == 1
    assert "add --partial" in capsys.readouterr().err
    assert run_guarded(command, ["net.cfg", "--weights", "net.weights", "--partial"]) == 0
    assert "note: weights of 1 layers are in the file, those of 1 start as in training: layers 1\n" in (
        capsys.readouterr().out
    )


def test_options_of_other_kinds_are_refused(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert run_guarded(command, ["net.onnx", "--weights", "net.weights"]) == 1
    assert "E0646" in capsys.readouterr().err
