"""The timeline of a recording: single calls and state changes, and their export."""
