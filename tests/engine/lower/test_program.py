"""The torch program against hand-written modules: values, gradients, running statistics, names, memory."""

from __future__ import annotations

import copy
import io
import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from striate.lower.torch import Program, initialise
from striate.lower.torch.program import InputSizeError
from striate.ops.registry import BUILTIN
from striate_dsl.diagnostics import DiagnosticError

LENET = """
model LeNet5(classes = 10) {
  input image: 1 x 32 x 32
  conv(6, 5)   -> tanh -> avgpool(2)
  conv(16, 5)  -> tanh -> avgpool(2)
  conv(120, 5) -> tanh
  flatten -> dense(84) -> tanh
  dense(classes)
  output logits
}"""

RESIDUAL = """
block ConvBN(out, kernel, stride = 1) { conv(out, kernel, stride = stride, pad = half, bias = false) -> bn }
model Residual {
  input image: 8 x 14 x 14
  add {
    ConvBN(16, 3, stride = 2) -> relu -> ConvBN(16, 3)
    ConvBN(16, 1, stride = 2)
  } -> relu
  output y
}"""


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Conv2d(16, 120, 5)
        self.dense1, self.dense2 = nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, image):
        value = functional.avg_pool2d(torch.tanh(self.conv1(image)), 2)
        value = functional.avg_pool2d(torch.tanh(self.conv2(value)), 2)
        value = torch.tanh(self.conv3(value)).flatten(1)
        return self.dense2(torch.tanh(self.dense1(value)))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()

        def conv_bn(channels, kernel, stride):
            conv = nn.Conv2d(channels, 16, kernel, stride, kernel // 2, bias=False)
            return nn.ModuleDict({"conv1": conv, "bn1": nn.BatchNorm2d(16)})

        self.conv_bn1, self.conv_bn2, self.conv_bn3 = conv_bn(8, 3, 2), conv_bn(16, 3, 1), conv_bn(8, 1, 2)

    def forward(self, image):
        def apply(block, value):
            return block["bn1"](block["conv1"](value))

        main = apply(self.conv_bn2, functional.relu(apply(self.conv_bn1, image)))
        return functional.relu(main + apply(self.conv_bn3, image))


@pytest.fixture
def program(graph, catalogue):
    def make(text, **options):
        return initialise(Program(graph(text), catalogue.lookup, **options), seed=3)

    return make


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize(
    ("text", "peer", "size"),
    [(LENET, LeNet, (1, 32, 32)), (RESIDUAL, Residual, (8, 14, 14))],
    ids=["lenet", "residual"],
)
def test_values_gradients_and_statistics_equal_a_hand_written_module(program, text, peer, size, channels_last):
    ours, theirs = program(text, channels_last=channels_last).double(), peer().double()
    missing, unexpected = theirs.load_state_dict(ours.state_dict(), strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    for training in (True, False, True):
        ours.train(training)
        theirs.train(training)
        image = torch.randn(4, *size, dtype=torch.float64)
        first, second = (image.clone().requires_grad_() for _ in range(2))
        got, expected = ours(first), theirs(second)
        torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)
        ours.zero_grad()
        theirs.zero_grad()
        got.square().sum().backward()
        expected.square().sum().backward()
        torch.testing.assert_close(first.grad, second.grad, rtol=1e-9, atol=1e-9)
        for name, parameter in theirs.named_parameters():
            torch.testing.assert_close(dict(ours.named_parameters())[name].grad, parameter.grad, rtol=1e-9, atol=1e-9)
        state = ours.state_dict()
        for name, values in theirs.state_dict().items():
            if "running" in name:
                torch.testing.assert_close(state[name], values, rtol=1e-10, atol=1e-10)


def test_the_state_dict_has_the_graphs_names(program, graph):
    assert list(program(RESIDUAL).state_dict()) == list(graph(RESIDUAL).weights)


def test_a_block_may_be_called_like_a_method_of_a_module(program):
    text = "model N {\ninput i: 1 x 4 x 4\nconv(2, 1) as half -> conv(2, 1) as train -> conv(1, 1) as type\noutput y\n}"
    made = program(text)
    assert made(torch.zeros(1, 1, 4, 4)).shape == (1, 1, 4, 4)
    assert made.eval().half().training is False


def test_weights_start_by_name_and_seed(graph, catalogue):
    first = initialise(Program(graph(LENET), catalogue.lookup), seed=0).state_dict()
    again = initialise(Program(graph(LENET), catalogue.lookup), seed=0).state_dict()
    other = initialise(Program(graph(LENET), catalogue.lookup), seed=1).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])
    assert first["conv1.bias"].abs().sum() == 0
    # He: variance 2 / fan_in, here 2 / (16 * 25); 48,000 entries, so the estimate is within 5 %.
    assert first["conv3.weight"].var().item() == pytest.approx(2 / 400, rel=0.05)


def test_several_outputs_come_by_name_and_shared_weights_get_both_gradients(program):
    text = """
    block Tower(w) { conv(w, 3) -> relu }
    model Twins {
      input left: 1 x 6 x 6
      input right: 1 x 6 x 6
      let tower = Tower(4)
      left -> tower as a
      right -> tower as b
      output a, b
    }"""
    made = program(text)
    images = torch.randn(2, 2, 1, 6, 6)
    result = made(images[0], images[1])
    assert list(result) == ["a", "b"]
    torch.testing.assert_close(result["a"], made(images[1], images[0])["b"])
    (result["a"].sum() + result["b"].sum()).backward()
    alone = program(text)
    alone(images[0], images[1])["a"].sum().backward()
    assert not torch.allclose(
        made.get_parameter("tower.conv1.weight").grad, alone.get_parameter("tower.conv1.weight").grad
    )


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([(2, 3, 8, 8)], "input image must be N x 1 x H x 8, not 2 x 3 x 8 x 8"),
        ([(1, 8, 8)], "not 1 x 8 x 8"),
        ([(2, 1, 7, 8)], "H = 7"),
        ([(2, 1, 8, 8)] * 2, "takes 1 inputs (image), not 2"),
    ],
)
def test_a_tensor_of_a_wrong_size_is_refused_with_the_right_one(program, shapes, words):
    made = program("""
    model N {
      input image: 1 x H x 8
      conv(2, 1) as skip -> maxpool(2) -> deconv(2, 2, stride = 2) -> add(skip)
      output y
    }""")
    assert made(torch.zeros(1, 1, 6, 8)).shape == (1, 2, 6, 8)
    with pytest.raises(InputSizeError) as caught:
        made(*(torch.zeros(shape) for shape in shapes))
    assert words in str(caught.value)


def test_values_are_let_go_after_their_last_use(program):
    made = program(LENET)
    assert set(made.run((torch.zeros(1, 1, 32, 32),))) == {"dense2"}
    kept = made.run((torch.zeros(1, 1, 32, 32),), keep=True)
    assert list(kept) == ["image", *(node.name for node in made.graph.nodes)]


def test_a_program_can_be_copied_saved_and_compiled(program):
    made = program(RESIDUAL).eval()
    image = torch.randn(2, 8, 14, 14)
    torch.testing.assert_close(copy.deepcopy(made)(image), made(image))
    buffer = io.BytesIO()
    torch.save(made.state_dict(), buffer)
    buffer.seek(0)
    fresh = Program(made.graph, BUILTIN.__getitem__)
    fresh.load_state_dict(torch.load(buffer, weights_only=True))
    torch.testing.assert_close(fresh.eval()(image), made(image))


def test_channels_last_is_the_memory_order_of_images_and_kernels(program):
    made = program(RESIDUAL).eval()
    assert made.get_parameter("conv_bn1.conv1.weight").is_contiguous(memory_format=torch.channels_last)
    assert made(torch.randn(2, 8, 14, 14)).is_contiguous(memory_format=torch.channels_last)


def test_torch_export_traces_the_program(program):
    made = program(RESIDUAL).eval()
    image = torch.randn(2, 8, 14, 14)
    exported = torch.export.export(made, (image,))
    torch.testing.assert_close(exported.module()(image), made(image))


def test_weights_larger_than_the_machine_are_refused_before_they_are_made(graph, catalogue):
    text = "model N {\ninput i: 100000 x 4 x 4\nconv(1000000000, 3) as huge\noutput huge\n}"
    with pytest.raises(DiagnosticError, match=r"need 3,600,004\.0 GB") as caught:
        Program(graph(text), catalogue.lookup)
    assert caught.value.diagnostics[0].span.text == "conv(1000000000, 3)"


def test_penalties_of_layers_are_added_up(program):
    text = """
model Net {
  input image: 6 x 4 x 4
  let shared = concrete_dropout(0.3, entropy = 0.5)
  shared -> relu -> shared -> flatten -> concrete_dropout(0.2, entropy = 0.25)
  output y
}"""
    made = program(text)
    penalty = made.penalty()

    def term(strength, channels, rate):
        return strength * channels * (rate * math.log(rate) + (1 - rate) * math.log(1 - rate))

    assert penalty.item() == pytest.approx(term(0.5, 6, 0.3) + term(0.25, 96, 0.2)), "the shared one counts once"
    penalty.backward()
    assert all(parameter.grad.abs() > 0 for parameter in made.parameters())


def test_most_networks_have_no_penalty(program):
    assert program(LENET).penalty() is None
