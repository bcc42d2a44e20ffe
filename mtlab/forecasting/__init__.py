"""How long a run will take on this machine, and how much memory: told before it is launched.

work         what a run has to do: tokens, steps, batches, counted from its texts
machine      what a machine computes with; `calibration` measures it in ten seconds
physics      from work and a machine's rates to seconds
memory       from work to bytes (the constants are `mtlab.models.memory`'s)
experience   finished runs correct both, the more the more alike they are
forecast     all of it: `Forecaster.forecast(spec)`

Importing this package imports no torch; `calibrate` loads it when it is called.
"""

from mtlab.forecasting.calibration import calibrate
from mtlab.forecasting.forecast import Forecast, Forecaster, forecaster_of
from mtlab.forecasting.machine import Machine, machine_of
from mtlab.forecasting.words import in_words

__all__ = [
    "Forecast",
    "Forecaster",
    "Machine",
    "calibrate",
    "forecaster_of",
    "in_words",
    "machine_of",
]
