"""What the checks of the API document need: settings of tools, and programs of integrators."""
