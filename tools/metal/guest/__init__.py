"""What runs in the virtual machine, as root: the runner, and a script for each scenario.

They need nothing but Python's library, and import each other as `tools.metal.guest`: the folder is shared with the
machine under that name.
"""
