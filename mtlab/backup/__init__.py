"""Copies of finished runs, votes and sweeps outside the home, where it does not outlast a restart.

places    a folder, such as a mounted disk, or a private dataset of the hub
notes     votes and sweeps: a home's own, and a copy
keeper    the thread of the app that copies all this there, and brings it back to an empty home
"""

from mtlab.backup.keeper import Keeper, keeper_for
from mtlab.backup.places import DatasetPlace, FolderPlace, Place, place_named

__all__ = ["DatasetPlace", "FolderPlace", "Keeper", "Place", "keeper_for", "place_named"]
