"""ussl: tls by the name that old libraries use; they ask for it on the way to an https address."""

import sys

import tls

sys.modules[__name__] = tls
