"""Experiments: a grid of runs as a value, and the ready-made ones.

experiment  what varies, what stays, and the runs that follow from it
grids       a grid around one run
typed       what a person types for what varies
presets     the paper's experiments and the next ones, by name
ladders     the sizes, directions and languages that a corpus offers them
"""

from mtlab.experiments.experiment import Experiment, Step
from mtlab.experiments.grids import grid_of
from mtlab.experiments.presets import PRESETS, Choices, Preset, preset, sweep_command

__all__ = [
    "PRESETS",
    "Choices",
    "Experiment",
    "Preset",
    "Step",
    "grid_of",
    "preset",
    "sweep_command",
]
