import errno
import json
from collections.abc import Callable

import pytest

from avatar.errors import InputError
from server.boundary import boundary
from server.wording import worded


def raised(cause: Exception, message: str = "a.json cannot be read ({error}): give another") -> InputError:
    try:
        raise InputError(message.format(error=cause)) from cause
    except InputError as error:
        return error


def json_error(text: str) -> json.JSONDecodeError:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)
    return caught.value


def utf8_error() -> UnicodeDecodeError:
    with pytest.raises(UnicodeDecodeError) as caught:
        b"\xff\xfe".decode()
    return caught.value


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        (lambda: FileNotFoundError(errno.ENOENT, "No such file or directory", "a.json"), "(there is no such"),
        (lambda: PermissionError(errno.EACCES, "Permission denied", "a.json"), "(its permissions forbid it)"),
        (lambda: OSError(errno.ENOSPC, "No space left on device"), "(no space is left on the disk)"),
        (lambda: OSError(1094995529, "Invalid data found when processing input", "a.mp4"), "(it is damaged"),
        (lambda: json_error('{"a"'), "(line 1 is not valid JSON)"),
        (lambda: json_error("\n\nx"), "(line 3 is not valid JSON)"),
        (utf8_error, "(it is not UTF-8 text)"),
    ],
)
def test_what_python_says_is_put_plainly(cause: Callable[[], Exception], says: str) -> None:
    told = worded(raised(cause()))
    assert says in told
    assert told.endswith("): give another")
    assert "Errno" not in told
    assert "char" not in told


def test_words_without_a_cause_are_put_plainly_too() -> None:
    error = InputError("x.mp4 failed ([Errno 28] No space left on device: 'x.mp4'): write elsewhere")
    assert worded(error) == "x.mp4 failed (no space is left on the disk): write elsewhere"
    error = InputError("x.json (Expecting value: line 7 column 1 (char 90)): mend it")
    assert worded(error) == "x.json (line 7 is not valid JSON): mend it"


def test_other_messages_stay_as_they_are() -> None:
    message = "size 13 is not an even number (from 64): choose for example 512"
    assert worded(InputError(message)) == message
    assert worded(raised(ValueError("too long"))) == "a.json cannot be read (too long): give another"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file", "a.wav"), "a.wav: there is no such file or folder;"),
        (OSError(errno.ENOSPC, "No space left on device", "b.mp4"), "b.mp4: no space is left on the disk;"),
        (OSError("Strange thing"), "the system: strange thing; check"),
    ],
)
def test_the_systems_errors_say_what_to_do(
    error: OSError, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit), boundary():
        raise error
    assert says in capsys.readouterr().err
