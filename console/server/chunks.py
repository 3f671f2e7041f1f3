"""A body that comes in chunks, taken out of their frames by llhttp."""

import httptools

from console.server.bodies import IncomingBody


class Chunks:
    """Puts what the chunks hold into a body. `is_whole` says that the last one was seen, `has_more` that more came behind it."""

    def __init__(self, body: IncomingBody) -> None:
        self.is_whole = self.has_more = False
        self._body = body
        self._parser = httptools.HttpRequestParser(self)
        # The head itself was read before: the parser is told no more than that chunks come.
        self._parser.feed_data(b"POST / HTTP/1.1\r\nHost: -\r\nTransfer-Encoding: chunked\r\n\r\n")

    def feed(self, data: bytes) -> None:
        """The next bytes. Raises HttpParserError, and what the body raises."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            # What a callback of ours raised is that error's context.
            raise (error.__context__ or error) from None
        except httptools.HttpParserError:
            # Behind the last chunk may stand anything; nobody reads it.
            if not self.is_whole:
                raise

    def on_body(self, chunk: bytes) -> None:
        """llhttp took a chunk out of its frame."""
        if not self.is_whole:
            self._body.add(chunk)

    def on_message_begin(self) -> None:
        """llhttp saw the start of the request, or of what comes behind it."""
        self.has_more = self.is_whole

    def on_message_complete(self) -> None:
        """llhttp saw the last chunk."""
        self.is_whole = True
