"""A module for each command or group of commands; each has it as `command`. `deta.cli.main` lists them."""
