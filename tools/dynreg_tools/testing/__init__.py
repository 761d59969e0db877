"""For an application's own tests: a pytest plugin, and what its fixtures give."""
