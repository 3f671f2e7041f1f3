"""What is read off a running system: processor time, memory, calls that sync to the disk."""
