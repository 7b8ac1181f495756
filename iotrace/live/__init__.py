"""The live screen of ``attach``: a picture of the trace, drawn anew each second."""
