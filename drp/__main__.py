"""`python -m drp`: the same as `drp`, for the many short jobs of the workflow."""

import os
import sys

from drp.asking import ADDRESS, ask


def _done_here() -> int:
    from drp.cli import main

    return main()


try:
    code = ask(os.environ[ADDRESS], sys.argv[1:]) if ADDRESS in os.environ else None
    if code is None:
        code = _done_here()
except KeyboardInterrupt:  # by intent: no lines to puzzle over
    code = 130
sys.stdout.flush()
sys.stderr.flush()
# Taking the loaded libraries apart again would cost a short job a fifth of its time. Everything
# is written and closed by now.
os._exit(code)
