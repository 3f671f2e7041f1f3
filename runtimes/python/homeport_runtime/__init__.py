"""What runs inside a Python Micro, around the app. Imports nothing of Homeport's server; needs Python 3.9."""
