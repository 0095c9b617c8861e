"""The sample: invented holders of second-generation certificates, in files as offices send them.

Nobody real can be meant (see `numbers`). Equal seed, scale and units give equal files. Free of Django.
"""

from zhengka.exchange.sample.dirt import FAULTS, Fault
from zhengka.exchange.sample.making import TRUTH, generate, generate_csv
from zhengka.exchange.sample.photos import FOLDER, generate_photos
from zhengka.exchange.sample.places import UnitSize, pilot_units
from zhengka.exchange.sample.truth import FileTruth, Photos, Truth

__all__ = [
    "FAULTS",
    "FOLDER",
    "TRUTH",
    "Fault",
    "FileTruth",
    "Photos",
    "Truth",
    "UnitSize",
    "generate",
    "generate_csv",
    "generate_photos",
    "pilot_units",
]
