"""``iotrace`` and ``python -m iotrace``."""

from iotrace.cli.main import main

if __name__ == "__main__":
    main()
