"""Who comes with an operator's key is told how the desk does what it does; nobody else is."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from agent.conversation_events import VerdictGiven
from agent.events import Spoken
from agent.sentence import Sentence
from agent.stage import LiveMoment
from agent.threads import in_tool
from agent.tools import Slot, tool
from moderation.verdict import Action, Verdict
from server.live.acting import LONGEST, ToolCalled, watched
from server.live.examining import Examining
from server.live.operators import add_operator
from server.live.options import ServeOptions
from server.live.records import AllWords, row_of
from speech.timeline import Phoneme, Speech
from tests.server.live.serving import FakeTalk, Stageless, desk_in, serving


@watched
@tool(about="order")
def look_up(
    order_number: Annotated[str, Slot(r"\d+", ask={"en": "Which?"})], language: str, state_dir: Path
) -> str:
    """Look an order up."""
    if order_number == "0":
        raise RuntimeError("secret detail of a database")
    return f"Order {order_number} is here." + "!" * 5000 * (order_number == "9")


class Acts(FakeTalk):
    """Judges the visitor's words, and takes an action, in a thread of its own."""

    tasks: set[Any] = set()

    def type(self, text: str) -> None:
        self.on_event(VerdictGiven(self.turns + 1, Verdict(Action.MASK, "pii.phone", text)))
        self.tasks.add(asyncio.get_running_loop().create_task(self._act(text)))

    async def _act(self, text: str) -> None:
        with suppress(RuntimeError):
            await in_tool(look_up.call, order_number=text, language="en", state_dir=Path())
        super().type(text)


class Acting(Stageless):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made: Any = super().__call__(*args, **kwargs)
        made.talk.__class__ = Acts
        return made


def test_a_key_tells_verdicts_and_actions_of_the_own_conversation(tmp_path: Path) -> None:
    file = tmp_path / "operators.json"
    key = add_operator(file, "Anna")
    elsewhere = add_operator(file, "Ben", ["another"])
    options = ServeOptions(rates={}, max_sessions=8, operators=str(file))

    async def visits() -> None:
        async with serving(desk_in(tmp_path / "desk"), cast=Acting(), options=options) as server:
            session = await server.session()
            async with server.live(session, hello=False) as client:
                await client.send("hello", token=session["token"], key=key)
                assert (await client.until("ready"))["examined"]
                await client.send("text", text="10331")
                judged = await client.until("verdict")
                assert (judged["action"], judged["rule"], "text" in judged) == ("mask", "pii.phone", False)
                called = await client.until("tool")
                assert called["arguments"] == {"order_number": "10331"}
                assert (called["name"], called["result"]) == ("look_up", "Order 10331 is here.")
                await client.send("text", text="0")
                failed = await client.until("tool", failed=True)
                assert failed["result"] == "RuntimeError"
                await client.send("text", text="9")
                assert len((await client.until("tool", arguments={"order_number": "9"}))["result"]) == LONGEST
            async with server.live(await server.session()) as client:
                await client.send("text", text="10331")
                await client.until("turn")
                assert not {"verdict", "tool"} & {one["type"] for one in client.seen}
            for wrong, code in ((elsewhere, 4403), ("nobody's", 4401)):
                session = await server.session()
                async with server.live(session, hello=False) as client:
                    await client.send("hello", token=session["token"], key=wrong)
                    assert await client.code() == code

    asyncio.run(visits())


def test_who_comes_with_a_key_to_a_session_that_ends_meanwhile_begins_no_other(tmp_path: Path) -> None:
    file = tmp_path / "operators.json"
    key, cast = add_operator(file, "Anna"), Stageless()
    options = ServeOptions(rates={}, max_sessions=8, operators=str(file))

    async def visits() -> None:
        async with serving(desk_in(tmp_path / "desk"), cast=cast, options=options) as server:
            session = await server.session()

            async def noted(*_: str) -> None:
                headers = {"Authorization": f"Bearer {session['token']}"}
                await server.http.delete(f"/v1/sessions/{session['session']}", headers=headers)

            server.service.readings.noted = noted
            async with server.live(session, hello=False) as client:
                await client.send("hello", token=session["token"], key=key)
                assert await client.code() == 4404

    asyncio.run(visits())
    assert not cast.talks


def test_where_a_sentence_sounds_is_told_once_and_after_every_cut() -> None:
    told: list[dict[str, Any]] = []

    class Post:
        def examine(self, kind: str, **fields: object) -> None:
            told.append({"type": kind, **fields})

    examining = Examining(Post())  # type: ignore[arg-type]
    phonemes = (Phoneme("m", 0.0, 0.1), Phoneme("a", 0.1, 0.3))
    spoken = Spoken(Sentence("Ma."), Speech(None, 16_000, phonemes), 0.0, 0.0)  # type: ignore[arg-type]
    for index, at_s in ((5, None), (6, 0.0), (7, 0.04), (8, 0.08), (20, 0.04), (21, 0.08), (22, None)):
        said = (None, 0.0) if at_s is None else (spoken, at_s)
        examining.take(LiveMoment(index, None, None, "", False, *said))  # type: ignore[arg-type]
    assert [(one["moment"], one["at_s"], len(one["phonemes"])) for one in told] == [
        (6, 0.0, 2),
        (20, 0.04, 2),
        (22, 0.0, 0),
    ]
    assert told[0]["phonemes"][0] == ["m", 0.0, 0.1]


def test_an_action_is_kept_with_its_arguments_and_not_with_what_it_found_out_about_somebody() -> None:
    row = row_of("s", ToolCalled(2, "look_up", {"order_number": "10331"}, "For Anna."), 1.0, AllWords())
    assert row is not None
    assert (row.kind, row.turn) == ("tool", 2)
    assert row.data == (
        '{"name":"look_up","arguments":{"order_number":"10331"},"failed":false,"characters":9}'
    )
