"""Every sample of every record: the rule against torch, and the refusals."""

from __future__ import annotations

import pytest
import torch

from striate.ops import ArgumentError, LayerError, OpRecord, Sample
from tests.engine.ops.configurations import ACCEPTED, REFUSED, infer, input_sizes, sample_id, sizes_of


@pytest.mark.parametrize(("record", "sample"), ACCEPTED, ids=sample_id)
class TestAccepted:
    def test_size_is_that_of_torch_without_values(self, record: OpRecord, sample: Sample):
        layer = infer(record, sample.arguments, sample.inputs)
        assert not layer.check.open, "known sizes leave nothing open"
        results = layer.results(input_sizes(sample.inputs, 2), layer.weight_sizes())
        assert [tuple(result.shape) for result in results] == sizes_of(layer, 2)

    @pytest.mark.parametrize("batch", [1, 3])
    def test_size_is_that_of_torch_with_values(self, record: OpRecord, sample: Sample, batch: int):
        layer = infer(record, sample.arguments, sample.inputs)
        results = layer.results(layer.tensors(sample.inputs, batch), layer.weights())
        assert [tuple(result.shape) for result in results] == sizes_of(layer, batch)
        assert all(torch.isfinite(result).all() for result in results)

    def test_images_of_a_batch_do_not_meet_in_evaluation(self, record: OpRecord, sample: Sample):
        layer = infer(record, sample.arguments, sample.inputs)
        weights = layer.weights()
        alone, together = (layer.results(layer.tensors(sample.inputs, batch), weights) for batch in (1, 3))
        for one, three in zip(alone, together, strict=True):
            torch.testing.assert_close(one[0], three[0])

    def test_memory_order_does_not_matter(self, record: OpRecord, sample: Sample):
        layer = infer(record, sample.arguments, sample.inputs)
        weights, values = layer.weights(), layer.tensors(sample.inputs, 2)
        formats = {4: torch.channels_last, 5: torch.channels_last_3d}
        last = [item.contiguous(memory_format=formats.get(item.dim(), torch.contiguous_format)) for item in values]
        torch.testing.assert_close(layer.results(last, weights), layer.results(values, weights))

    def test_passing_through_is_what_same_means(self, record: OpRecord, sample: Sample):
        layer = infer(record, sample.arguments, sample.inputs)
        values = layer.tensors(sample.inputs, 2)
        same = torch.equal(layer.run(values, layer.weights()), values[0])
        assert same or record.inference == "computed"


@pytest.mark.parametrize(("record", "sample"), REFUSED, ids=sample_id)
def test_refused_sample_says_why(record: OpRecord, sample: Sample):
    assert sample.fails is not None
    with pytest.raises((LayerError, ArgumentError)) as refusal:
        infer(record, sample.arguments, sample.inputs)
    assert sample.fails in str(refusal.value)
