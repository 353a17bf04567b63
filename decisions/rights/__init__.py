"""Who may do what, where and up to which value: one table, as a value, as a pure function and as SQL."""

from decisions.rights.default import CASEWORK, DEFAULT, INDEPENDENT
from decisions.rights.held import IN_FORCE, Held, demand, holders, of, require, standing, table
from decisions.rights.judge import NOBODY, Case, Standing, limit, may, who_holds
from decisions.rights.reach import Reach, case_of, has_hand, marks_of
from decisions.rights.words import Act, Limit, Own, Table

__all__ = [
    "CASEWORK",
    "DEFAULT",
    "INDEPENDENT",
    "IN_FORCE",
    "NOBODY",
    "Act",
    "Case",
    "Held",
    "Limit",
    "Own",
    "Reach",
    "Standing",
    "Table",
    "case_of",
    "demand",
    "has_hand",
    "holders",
    "limit",
    "marks_of",
    "may",
    "of",
    "require",
    "standing",
    "table",
    "who_holds",
]
