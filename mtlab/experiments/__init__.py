"""Experiments: a grid of runs as a value, and the ready-made ones.

experiment  what varies, what stays, and the runs that follow from it
presets     the paper's experiments and the next ones, by name
ladders     the sizes, directions and languages that a corpus offers them
"""

from mtlab.experiments.experiment import Experiment, Step
from mtlab.experiments.presets import PRESETS, Choices, Preset, preset

__all__ = ["PRESETS", "Choices", "Experiment", "Preset", "Step", "preset"]
