"""The lab as a Hugging Face Space: what belongs to it, and how it gets there.

hardware     what a Space can run on, and what of the lab depends on it
variables    the variables and secrets that a Space is given
readme       the page that Spaces reads its configuration from
assembling   the files of a Space, from this copy of the lab
deploying    a Space made or renewed over the hub's interface
zero         a run in slices, on a GPU that is lent for a call at a time
refusals     what the hub refuses, as sentences
"""

from mtlab.spaces.assembling import SpaceFile, assemble, write
from mtlab.spaces.deploying import Deployment, create, renew
from mtlab.spaces.hardware import Hardware
from mtlab.spaces.variables import read_secrets, read_variables

__all__ = [
    "Deployment",
    "Hardware",
    "SpaceFile",
    "assemble",
    "create",
    "read_secrets",
    "read_variables",
    "renew",
    "write",
]
