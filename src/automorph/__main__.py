"""The command line as ``python -m automorph``."""

from automorph.cli import main

if __name__ == "__main__":
    main()
