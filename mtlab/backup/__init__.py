"""Copies of finished runs outside the home, where the home does not outlast a restart.

places    a folder, such as a mounted disk, or a private dataset of the hub
keeper    the thread of the app that copies runs there, and brings them back to an empty home
"""

from mtlab.backup.keeper import Keeper, keeper_for
from mtlab.backup.places import DatasetPlace, FolderPlace, Place, place_named

__all__ = ["DatasetPlace", "FolderPlace", "Keeper", "Place", "keeper_for", "place_named"]
