"""The BPF C sources, shipped inside the wheel as ``iotrace.probes``."""
