"""`python -m co_response`: the command `co-response` in a checkout that is not installed."""

import sys

from co_response.cli import main

if __name__ == "__main__":
    sys.exit(main())
