"""What iotrace does on the kernels of distributions: `make kernels`.

Each kernel's own package is booted in a virtual machine (QEMU), iotrace is checked there, and a row
of a table is printed. Needs root, and the packages in ``distribution.TOOLS``.
"""
