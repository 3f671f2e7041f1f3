"""Where code for the original client imports AsyncBase from."""
