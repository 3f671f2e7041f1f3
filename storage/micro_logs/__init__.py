"""What Micros print: a room of its own, since recorded requests are told with it, and a collection's deletion asks of both."""
