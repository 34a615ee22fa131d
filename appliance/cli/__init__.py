"""The command `chot`: one module a command, loaded when it is called."""
