"""Recordings: a report and its interval samples in one file."""
