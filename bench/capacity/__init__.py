"""What a number of requests, items and files takes: the model in docs/scaling.md, its figures, and the tables made of both."""
