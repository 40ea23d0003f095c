"""Losses: the records of all families."""

from striate.plugin import LossRecord
from striate_plugins.losses.records import detection, distance, embedding, entropy, generation, overlap

LOSSES: tuple[LossRecord, ...] = tuple(
    record for family in (entropy, distance, overlap, embedding, generation, detection) for record in family.RECORDS
)
