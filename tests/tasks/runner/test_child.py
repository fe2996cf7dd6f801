import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pav.models.errors import EngineError
from pav.tasks.runner.child import Child, LostError, describe_exit, with_news

HERE = str(Path(__file__).parent)
ENVIRONMENT = {**os.environ, "PYTHONPATH": HERE}


@pytest.fixture
def start():
    """Start toy children, which are ended with the test."""
    children = []

    def start_one(*arguments, **options):
        options = {"name": "toy", "environment": ENVIRONMENT, **options}
        child = Child("toy_child", *arguments, **options)
        children.append(child)
        assert child.receive() == ("started", list(arguments))
        return child

    yield start_one
    for child in children:
        child.kill()


def asked(child, *request):
    child.send(request)
    return child.receive()


def pipes(pid):
    links = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        # What a starting process opens is soon closed again.
        with suppress(FileNotFoundError):
            links.add(os.readlink(path))
    return {link for link in links if link.startswith("pipe:")}


# -- messages


@pytest.mark.parametrize("message", [None, False, "", b"\x00" * 3, "x" * 3_000_000, {"a": (1, 2)}])
def test_a_message_arrives_as_it_was_sent(start, message):
    assert asked(start("one", "two"), "echo", message) == message


def test_messages_that_nobody_reads_yet_keep_their_order(start):
    child = start()
    sent = [f"{number} " * 10_000 for number in range(60)]
    for message in sent:
        child.send(("echo", message))
    assert [child.receive() for _ in sent] == sent


def test_messages_of_several_threads_are_not_mixed(start):
    child = start()
    child.send(("say many",))
    received = [child.receive() for _ in range(200)]
    assert sorted(received) == sorted(word * 100_000 for word in "abcd" for _ in range(50))


def test_a_process_that_ends_within_a_message_is_lost(start):
    child = start()
    child.send(("stop halfway",))
    with pytest.raises(LostError, match=r"^toy ended with exit status 5$"):
        child.receive()


def test_what_was_sent_before_the_end_is_still_read(start, is_alive, wait_until):
    child = start()
    child.send(("echo", "last words"))
    child.send(("leave", 0))
    assert wait_until(lambda: not is_alive(child.pid))
    assert child.receive() == "last words"
    with pytest.raises(LostError, match="exit status 0"):
        child.receive()
    with pytest.raises(LostError, match="exit status 0"):
        child.send(("echo", "x"))


# -- deadlines


def test_silence_lasts_until_the_deadline_and_news_do_not(start):
    silent, other = start(), start()
    started = time.monotonic()
    assert not silent.has_news(0.3)
    assert time.monotonic() - started >= 0.3
    other.send(("echo", 1))
    assert with_news([silent, other], 60) == [other]
    assert other.receive() == 1
    assert with_news([silent, other], 0) == []
    other.send(("leave", 3))
    assert with_news([silent, other], 60) == [other]
    assert time.monotonic() - started < 30


def test_a_stopped_process_is_silent_and_can_be_ended(start, is_alive):
    child = start()
    os.kill(child.pid, signal.SIGSTOP)
    child.send(("echo", 1))
    assert not child.has_news(0.3)
    assert child.wait(0.1) is None
    child.kill()
    assert not is_alive(child.pid)


def test_the_exit_status_is_told_to_every_thread_that_waits(start):
    child = start()
    told = []
    threads = [threading.Thread(target=lambda: told.append(child.wait_for_end())) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert child.poll() is None
    child.send(("leave", 7))
    for thread in threads:
        thread.join(20)
    assert told == [7, 7, 7]
    assert child.wait(20) == 7


# -- ends


def test_a_process_that_will_not_end_is_killed_at_its_deadline(start, is_alive):
    child = start()
    assert asked(child, "spin") == "spinning"
    child.terminate()
    started = time.monotonic()
    child.close(0.3)
    assert 0.3 <= time.monotonic() - started < 10
    assert not is_alive(child.pid)
    assert child.poll() == -signal.SIGKILL


def test_a_process_that_ends_when_asked_is_not_killed(start):
    child = start()
    child.terminate()
    child.close(20)
    assert child.poll() == -signal.SIGTERM
    with pytest.raises(LostError, match="toy ended with SIGTERM"):
        child.receive()


def test_who_waits_for_a_process_hears_that_another_thread_ended_it(start):
    child = start()
    threading.Timer(0.2, child.kill).start()
    started = time.monotonic()
    assert child.has_news(60)
    with pytest.raises(LostError, match=r"^toy was ended$"):
        child.receive()
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("how", ["kill", "crash"])
def test_what_a_process_started_ends_with_it(start, how, is_alive, wait_until):
    child = start()
    another = asked(child, "start another")
    assert is_alive(another)
    if how == "kill":
        child.kill()
    else:
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait(20) == -signal.SIGKILL
    assert wait_until(lambda: not is_alive(another), seconds=5)


PARENT = """
import os, sys
from pav.tasks.runner.child import Child
child = Child("toy_child", name="toy", environment=dict(os.environ))
child.receive()
child.send(("start another",))
another = child.receive()
child.send((sys.argv[1],))
print(child.pid, another, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("do", ["sleep", "spin"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_killed_parent(do, how, is_alive, wait_until):
    command = [sys.executable, "-c", PARENT, do]
    parent = subprocess.Popen(
        command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert all(map(is_alive, pids))
    parent.send_signal(how)
    parent.communicate()
    assert wait_until(lambda: not any(map(is_alive, pids)), seconds=10)


# -- what a process has


def test_a_process_has_its_environment_and_nothing_of_the_parents(start, monkeypatch):
    monkeypatch.setenv("LEFT_OUT", "1")
    environment = {name: os.environ[name] for name in ("PATH", "OMP_NUM_THREADS")}
    expected = {**environment, "PYTHONPATH": HERE, "GIVEN": "1"}
    child = start(environment=expected)
    got = asked(child, "environment")
    assert {name: got.get(name) for name in (*expected, "LEFT_OUT")} == {
        **expected, "LEFT_OUT": None,
    }  # fmt: skip


def test_memory_is_bounded_where_it_is_asked_for(start):
    assert asked(start(memory_mib=1024), "allocate", 2 << 30) == (1024 << 20, "MemoryError")
    assert asked(start(), "allocate", 1 << 20)[1] == 1 << 20


def test_the_end_of_what_a_process_prints_is_kept_however_much_it_is(start):
    child = start()
    assert asked(child, "write", "line\n" * 400_000 + "what went wrong \n\n") == "written"
    child.kill()
    assert child.last_line() == "what went wrong"


def test_why_a_module_does_not_start_is_its_last_line():
    child = Child("no_such_module", name="toy", environment=ENVIRONMENT)
    with pytest.raises(LostError, match="toy ended with exit status 1"):
        child.receive()
    assert child.last_line().endswith("No module named no_such_module")
    child.kill()


def test_a_shown_process_prints_to_the_users_standard_error(start, capfd):
    child = start(is_shown=True)
    assert asked(child, "write", "hello\n") == "written"
    child.kill()
    captured = capfd.readouterr()
    assert (captured.out, captured.err, child.last_line()) == ("", "hello\n", "")


def test_no_process_holds_the_pipes_of_another(start):
    first, second = start(), start()
    another = asked(second, "start another")
    assert len(pipes(second.pid)) == 3
    assert pipes(first.pid) & pipes(second.pid) == set()
    # All that is passed on is where the process prints.
    assert len(pipes(another) & pipes(second.pid)) == 1


def test_an_ended_process_leaves_no_descriptor_behind(start, wait_until):
    before = pipes("self")
    children = [start() for _ in range(3)]
    assert len(pipes("self") - before) == 9
    for child in children:
        child.kill()
    assert wait_until(lambda: pipes("self") <= before)


def test_a_process_that_is_let_go_of_ends(is_alive, wait_until):
    child = Child("toy_child", name="toy", environment=ENVIRONMENT)
    pid = child.pid
    child.receive()
    del child
    assert wait_until(lambda: not is_alive(pid), seconds=10)


def test_a_process_that_cannot_be_started_is_an_engine_error(monkeypatch):
    before = pipes("self")
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(EngineError, match=r"^toy could not be started: .*No such file"):
        Child("toy_child", name="toy", environment=ENVIRONMENT)
    assert pipes("self") <= before


def test_how_a_process_ended_is_told_in_words():
    assert describe_exit(-11, "it") == "it ended with SIGSEGV"
    assert describe_exit(-9, "it") == "it ended with SIGKILL, often for lack of memory"
    assert describe_exit(3, "it") == "it ended with exit status 3"
