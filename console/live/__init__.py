"""Streams of server-sent events: clients and pages that see changes as they come.

`responses` answers a request with one (one of the console: `pages`); `topics` are what can be followed, `sources` read what
is new in them; a `listeners.Listener` is one client's; the `watcher` of a process looks for changes on behalf of all of them;
`rights` looks whether they still may; `places` bounds how many there are. The connection is the event loop's
(`console/server/live.py`): no thread waits for any of them.
"""
