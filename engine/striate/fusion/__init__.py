"""Cutting a graph into groups of layers that one kernel computes."""

from striate.fusion.group import Group, Kind, Plan, Slice
from striate.fusion.machine import MACHINES, Machine
from striate.fusion.partition import Level, partition
from striate.fusion.traffic import Traffic, group_traffic

__all__ = ["MACHINES", "Group", "Kind", "Level", "Machine", "Plan", "Slice", "Traffic", "group_traffic", "partition"]
