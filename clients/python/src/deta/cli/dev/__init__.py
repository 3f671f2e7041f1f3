"""What `deta dev` is made of: keys that end with it, the processes it runs, and the port in front of them."""
