"""Rows of this room: checks of cards, lists of claims, what gates log, what it comes to, how it is settled."""

from zhengka.gates.models.checks import CHANNELS, Check, Use
from zhengka.gates.models.claims import ClaimPublication
from zhengka.gates.models.settling import Dispute, Statement, StatementLine
from zhengka.gates.models.visits import DoubleUse, GateKey, Post, Upload, Visit, Voucher

__all__ = ["CHANNELS", "Check", "ClaimPublication", "Dispute", "DoubleUse", "GateKey", "Post", "Statement",
           "StatementLine", "Upload", "Use", "Visit", "Voucher"]
