"""An interpreter that has done nothing: what retained bytes are counted from."""

import mark

mark.retained()
