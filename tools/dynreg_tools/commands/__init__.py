"""The sub-commands of `dynreg`: each has DESCRIPTION, EXAMPLE, add_options() and run()."""
