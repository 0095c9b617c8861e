"""Use cases of papers and portraits (材料、照片采集)."""

from zhengka.papers.services.handling import Opened, Upload, add_paper, open_paper, withdraw_paper
from zhengka.papers.services.portraits import give_portrait, overrule_portrait, take_portrait

__all__ = [
    "Opened",
    "Upload",
    "add_paper",
    "give_portrait",
    "open_paper",
    "overrule_portrait",
    "take_portrait",
    "withdraw_paper",
]
