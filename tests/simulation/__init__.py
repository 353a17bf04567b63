"""Worlds whose truth is known, in which the estimates must hold; used by the tests and by the bench."""
