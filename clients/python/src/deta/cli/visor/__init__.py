"""What `deta visor tail` is made of: recorded requests as they come in, each once."""
