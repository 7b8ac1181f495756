"""Damaged and hostile inputs, by the hundred thousand, for everything that reads others' words."""
