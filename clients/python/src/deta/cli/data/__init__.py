"""What the commands for Bases, Drives and the Visor are made of; `deta.cli.commands` has the commands themselves."""
