"""How a process of our own begins. It imports no model: a spawned process reads this before Django is ready."""

import os

import django
from django.db import connections

from zhengka.core.scope import of_the_platform


def begin(database: str) -> None:
    """Make a new process ready to work on the database of its parent."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhengka.config.settings")
    django.setup()
    connections["default"].settings_dict["NAME"] = database
    of_the_platform(connections["default"].settings_dict)
