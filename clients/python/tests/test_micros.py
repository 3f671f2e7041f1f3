"""`App` and `app`: what a Micro's functions are noted with."""

import pytest

import deta.lib
from deta import App, app
from deta.errors import InvalidArgument
from deta.micros import Event, Functions


class Application:
    pass


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Functions:
    functions = Functions()
    monkeypatch.setattr("deta.micros.functions", functions)
    return functions


def test_an_app_stays_the_same_object(noted: Functions) -> None:
    application = Application()
    assert App(application) is application
    assert App(application) is application
    assert App() is app
    assert deta.lib.app is app  # as the oldest interface had it


def test_decorators_return_the_function_and_stack(noted: Functions) -> None:
    application = App(Application())

    @application.lib.run()
    @application.lib.run("hello")
    @application.lib.cron()
    def job(event: Event) -> str:
        return event.type

    assert job(Event(type="cron")) == "cron"
    assert noted.run == {"": job, "hello": job}
    assert noted.cron == [job]


def test_decorators_work_without_parentheses(noted: Functions) -> None:
    @app.lib.run
    @app.lib.cron
    async def job(event: Event) -> None: ...

    assert noted.run == {"": job}
    assert noted.cron == [job]


def test_an_app_that_takes_no_lib_is_refused_in_words(noted: Functions) -> None:
    class Full:
        lib = "its own"

    for application in (Full(), 5):
        with pytest.raises(InvalidArgument, match="use `from deta import app`"):
            App(application)
