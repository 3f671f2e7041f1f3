"""The command `deta`: everything that a terminal does with a Homeport server. It imports nothing of the server."""
