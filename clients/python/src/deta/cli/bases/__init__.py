"""What `deta base` is made of: items out of streams and into them, queries, and what an editor changed."""
