"""`python -m dynreg_tools` is the `dynreg` command."""

import sys

from .cli import main

sys.exit(main())
