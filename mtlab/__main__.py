"""`python -m mtlab` is the command line."""

import sys

from mtlab.cli import main

sys.exit(main())
