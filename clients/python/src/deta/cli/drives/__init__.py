"""What `deta drive` is made of: files here, files there, what differs, and how it is moved."""
