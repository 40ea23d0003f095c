"""The `export` sections of a file: which one counts, what it may hold, and what is said of mistakes in it."""

from __future__ import annotations

import onnx
import pytest

from striate.checking import check_source
from striate.exporting import export_model
from striate.onnx.contract import ExportContract, read_contract, read_contracts
from striate_dsl.diagnostics import DiagnosticError
from striate_dsl.source import Source
from tests.engine.onnx.models import from_text

NETWORK = """\
model Base(classes = 2) {
  input image: 3 x 4 x 4
  flatten -> dense(classes)
  output logits
}
model Variant = Base(classes = 3)
"""


def contract(sections: str, model: str = "Variant", name: str | None = None) -> ExportContract:
    return read_contract(from_text(NETWORK + sections, model).file, model, name)


def finding(sections: str, name: str | None = None):
    with pytest.raises(DiagnosticError) as caught:
        contract(sections, name=name)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


@pytest.mark.parametrize(
    ("sections", "opset"),
    [
        ("", 17),
        ("export { opset = 18 }", 18),
        ("export Base { opset = 19 }", 19),
        ("export { opset = 18 }\nexport Base { opset = 19 }", 19),
        ("export Base { opset = 19 }\nexport Variant { opset = 20 }", 20),
        ("export Other { opset = 20 }", 17),
        ("train Variant { opset = 20 }", 17),
        ("export Variant as small { opset = 20 }", 17),
    ],
)
def test_the_nearest_section_counts(sections, opset):
    assert contract(sections).opset == opset


def test_a_section_with_a_name_is_chosen_by_it():
    sections = "export Base as small { opset = 18; tolerance = 1e-3 }\nexport Base as large { opset = 19 }"
    assert contract(sections, name="small") == ExportContract(18, 1e-3)
    assert contract(sections, name="large") == ExportContract(19)


def test_the_section_is_honoured(tmp_path):
    model = from_text(NETWORK + "export Base { opset = 19 }", "Base")
    assert export_model(model, tmp_path / "a.onnx").opset == 19
    assert export_model(model, tmp_path / "b.onnx", opset=18).opset == 18
    assert onnx.load(tmp_path / "a.onnx").opset_import[0].version == 19


def test_the_tolerance_is_honoured(tmp_path):
    model = from_text("model M { input a: 8 x 9 x 9; conv(64, 5) -> conv(8, 5); output y }\nexport { tolerance = 0 }")
    with pytest.raises(DiagnosticError) as caught:
        export_model(model, tmp_path / "net.onnx")
    assert caught.value.diagnostics[0].code == "E0607"


def test_the_tensor_cores_asked_for_are_stated_in_the_file(tmp_path):
    model = from_text(NETWORK + "export Base { tensor_cores = int8 }", "Base")
    export_model(model, tmp_path / "a.onnx", verify=False)
    stated = {item.key: item.value for item in onnx.load(tmp_path / "a.onnx").metadata_props}
    assert stated["striate.tensor_cores"] == "int8"
    plain = from_text(NETWORK, "Base")
    export_model(plain, tmp_path / "b.onnx", verify=False)
    assert "striate.tensor_cores" not in {item.key for item in onnx.load(tmp_path / "b.onnx").metadata_props}


def test_all_sections_of_a_model_are_read():
    sections = "export Base { opset = 18 }\nexport Variant as small { opset = 19 }\nexport Other as x { opset = 20 }"
    file = from_text(NETWORK + sections, "Variant").file
    assert [item.opset for item in read_contracts(file, "Variant")] == [18, 19]
    assert [item.opset for item in read_contracts(file, "Base")] == [18]


def test_mistakes_in_sections_with_names_are_found_by_check():
    text = NETWORK + "export Base as small { opste = 18 }\nexport Base as large { tensor_cores = float64 }\n"
    found = check_source(Source("net.cnn", text)).diagnostics
    assert [(item.code, item.span.line) for item in found] == [("E0402", 7), ("E0403", 8)]


def test_an_unknown_entry_is_answered_with_the_nearest():
    found = finding("export Base { opste = 18 }")
    assert (found.code, found.message) == ("E0402", "an export section has no opste")
    assert found.notes == (
        "an export section may hold opset, tolerance, tensor_cores, precision, io_precision, keep_float, text, "
        "preprocess, camera, postprocess, top, passes",
    )
    assert found.help == "did you mean opset?"
    assert found.span is not None
    assert found.span.text == "opste"


@pytest.mark.parametrize(
    ("entry", "code", "message"),
    [
        ("opset = latest", "E0403", "opset must be a whole number of at least 1, not latest"),
        ("opset = 0", "E0403", "opset must be a whole number of at least 1, not 0"),
        ("opset = 12", "E0601", "opset 12 cannot be written"),
        ("tolerance = -1", "E0403", "tolerance must be a number of at least 0, not -1"),
        ("tolerance = true", "E0403", "tolerance must be a number of at least 0, not true"),
        ("precision = fp16", "E0403", "precision must be one of float32, float16, bfloat16, int8, not fp16"),
        (
            "keep_float = [1]",
            "E0403",
            "keep_float must be a list of names of layers, those like 'a.0' in quotes, not [1]",
        ),
        (
            "io_precision = float16",
            "E0403",
            "io_precision must be float32 or what precision is (float32), not float16",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_refused_at_its_place(entry, code, message):
    found = finding(f"export Base {{ {entry} }}")
    assert (found.code, found.message) == (code, message)
    assert found.span is not None
    assert found.span.text == entry.partition(" = ")[2]


def test_a_precision_brings_its_own_defaults_and_another_one_leaves_the_sections():
    section = "export Base as half { precision = float16; io_precision = float16; tolerance = 0.5 }"
    half = ExportContract(17, 0.5, None, "float16", "float16")
    assert contract(section, name="half") == half
    file = from_text(NETWORK + section, "Base").file
    assert read_contract(file, "Base", "half", precision="float16") == half
    assert read_contract(file, "Base", "half", precision="bfloat16") == ExportContract(22, 0.08, None, "bfloat16")
    assert read_contract(file, "Base", "half", precision="float32") == ExportContract()
    names = contract('export { keep_float = [conv1, stage.unit, "unit1.0.conv1"]; precision = float16 }')
    assert names.keep_float == ("conv1", "stage.unit", "unit1.0.conv1")
    assert names.tolerance == 0.01


def test_all_mistakes_of_a_section_are_reported():
    with pytest.raises(DiagnosticError) as caught:
        contract("export { opset = 12; dynamic = true; tolerance = no }")
    assert [item.code for item in caught.value.diagnostics] == ["E0601", "E0402", "E0403"]


def test_an_entry_twice_is_a_mistake():
    assert finding("export { opset = 17; opset = 18 }").code == "E0401"


def test_two_sections_for_one_model_are_a_mistake():
    found = finding("export Base { opset = 17 }\nexport Base { opset = 18 }")
    assert (found.code, found.message) == ("E0404", "two export sections fit, and nothing says which one is meant")
    assert found.labels[0].text == "the other one"


def test_a_name_that_no_section_has_is_a_mistake():
    found = finding("export Base as small { opset = 17 }", name="smal")
    assert (found.code, found.message) == ("E0404", "Variant has no export section called smal")
    assert found.help == "did you mean small?"
