"""`python -m anonymize`: see `anonymize/cli.py`."""

import sys

from anonymize.cli import main

if __name__ == "__main__":
    sys.exit(main())
