"""A page for each finding, as ``iotrace explain`` prints it."""
