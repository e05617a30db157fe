"""`python -m drp`: the same as `drp`, for the many short jobs of the workflow."""

import os
import sys

try:
    from drp.cli import main

    code = main()
except KeyboardInterrupt:  # by intent: no lines to puzzle over
    code = 130
sys.stdout.flush()
sys.stderr.flush()
# Taking the loaded libraries apart again would cost a short job a fifth of its time. Everything
# is written and closed by now.
os._exit(code)
