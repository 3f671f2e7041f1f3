"""Why somebody is not signed in by the provider."""


class SignInRefused(Exception):
    """A sentence for the person."""


class ProviderFailed(Exception):
    """The provider does not answer, or not as it should; a line for the log, without a secret."""
