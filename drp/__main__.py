"""`python -m drp`: the same as `drp`, for the many short jobs of the workflow."""

import os
import sys

from drp.cli import main

code = main()
sys.stdout.flush()
sys.stderr.flush()
# Taking the loaded libraries apart again would cost a short job a fifth of its time. Everything
# is written and closed by now.
os._exit(code)
