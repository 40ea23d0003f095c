"""Einsum in its forms: the imported network computes what ONNX Runtime does, or the node is refused."""

import numpy as np
import pytest

from striate_dsl.diagnostics import DiagnosticError
from tests.engine.importing.written import agree, agree_as_one_image, imported, model, node, random

SIZES = {"n": 3, "c": 4, "d": 5, "h": 2, "w": 6, "i": 4, "j": 5}


def sizes(letters: str) -> list:
    return ["N" if letter == "n" else SIZES[letter] for letter in letters]


@pytest.mark.parametrize(
    "equation",
    [
        "nchw->nhwc",
        "nchw->nc",
        "nchw->n",
        "nii->ni",
        "nihi->nhi",
        "n...c->nc...",
        "ncw,nch->nwh",
        "nchw,ndhw->ncd",
        "nchw,nchw->nhw",
        "nchw,nchw->n",
        "nchw,ncw->nhc",
        "nc,nd->ndc",
        "nhcd,nhwd->nhcw",
        "ncw,ncd,ndh->nwh",
    ],
)
def test_sums_of_values(equation):
    left = equation.split("->")[0].replace("...", "hw").split(",")
    inputs = dict(zip("xzu", map(sizes, left), strict=False))
    agree(model([node("Einsum", list(inputs), ["y"], equation=equation)], inputs))


@pytest.mark.parametrize("equation", ["nchw,cd->ndhw", "nchw,c->nchw", "nchw,hd->ncwd", "cd,nch->ndh", "nchw,cw->nhw"])
def test_sums_with_stored_tensors(equation):
    first, second = equation.split("->")[0].split(",")
    given, weight = (first, second) if "n" in first else (second, first)
    names = ["x", "w"] if "n" in first else ["w", "x"]
    stored = [random("w", *(SIZES[letter] for letter in weight))]
    agree(model([node("Einsum", names, ["y"], equation=equation)], {"x": sizes(given)}, stored))


@pytest.mark.parametrize("equation", ["nc->cn", "nc->c", "nchw,nchw->chw", "nc,cd->d", "nn->n", "nc,nc"])
def test_images_do_not_meet(equation):
    terms = equation.split("->")[0].split(",")
    inputs = {
        name: [3 if letter == "n" else SIZES[letter] for letter in term]
        for name, term in zip("xz", terms, strict=False)
    }
    with pytest.raises(DiagnosticError) as caught:
        imported(model([node("Einsum", list(inputs), ["y"], equation=equation)], inputs))
    assert "batch" in caught.value.diagnostics[0].notes[0]


@pytest.mark.parametrize("equation", ["i,i", "ij->ji", "ij,jd", "ij->", "...ii->...i", "i,j->ij"])
def test_sums_of_one_image(equation):
    terms = equation.split("->")[0].replace("...", "hw").split(",")
    inputs = {name: [SIZES[letter] for letter in term] for name, term in zip("xz", terms, strict=False)}
    given = {name: np.random.default_rng(1).standard_normal(shape).astype(np.float32) for name, shape in inputs.items()}
    agree_as_one_image(model([node("Einsum", list(inputs), ["y"], equation=equation)], inputs), given)


def test_attention_over_an_open_image():
    """Scores between rows of an image of open size: no two open sizes are put together."""
    nodes = [
        node("Einsum", ["x", "x"], ["s"], equation="nchw,nchu->nhwu"),
        node("Softmax", ["s"], ["p"], axis=-1),
        node("Einsum", ["p", "x"], ["y"], equation="nhwu,nchu->nchw"),
    ]
    agree(model(nodes, {"x": ["N", 4, "H", "W"]}), {"H": 5, "W": 7})
