"""`python -m drp`: the same as `drp`."""

import sys

from drp.cli import main

sys.exit(main())
