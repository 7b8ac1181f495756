"""What /proc knows: pure parsers of its files, and readers that take a pid and a root."""
