"""Looks into the state file of a program that doesn't run (while it does, the file is locked)."""
import contextlib
import sqlite3


def _select(caes, text):
    with contextlib.closing(sqlite3.connect(caes.config["state"])) as state:
        return state.execute(text).fetchall()


def dead_letters(caes):
    """{(key, version): reason}"""
    return {(key, version): reason for key, version, reason in _select(
        caes, "SELECT CAST(key AS TEXT), version, reason FROM dead_letter")}


def payloads(caes):
    """{key: the record as JSON text}"""
    return dict(_select(caes, "SELECT CAST(key AS TEXT), CAST(payload AS TEXT) FROM dead_letter"))


def highest(caes):
    """The highest version that the checkpoint knows."""
    return max(_select(caes, "SELECT highest_elasticsearch, highest_cassandra FROM checkpoint")[0])


def compared(caes):
    """From when the time up to the daemon's own next comparison counts, seconds since 1970."""
    return _select(caes, "SELECT compared_us FROM pipeline")[0][0] / 1e6


def set_compared(caes, seconds):
    with contextlib.closing(sqlite3.connect(caes.config["state"])) as state, state:
        state.execute("UPDATE pipeline SET compared_us = ?", (int(seconds * 1e6),))
