"""Reference servers, one for each I/O model, shipped as ``iotrace.servers``."""
