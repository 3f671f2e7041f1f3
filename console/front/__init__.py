"""Requests to Micros, which are told by the name in their Host header: who may pass, and on to the app and back.

What an app answers belongs to its own host. Nothing of the console is served there but the paths below `/__homeport/`.
"""
